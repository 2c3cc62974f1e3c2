"""What the server needs of the engine, and nothing more."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Protocol

from ..messages import EngineStatus, EventMessage, Snapshot

if TYPE_CHECKING:
    from ..config import Config
    from ..events import Bus
    from ..models import Event
    from ..store.tokens import TokenTable

type Arguments = dict[str, Any]  # checked by `arguments.validate`


class DeskApi(Protocol):
    """Those who register visitors and referrals. Results are JSON-able and hold no contact."""

    async def partner_add(self, args: Arguments) -> Any:
        """Register a company that may file referrals."""

    async def partner_list(self) -> Any:
        """Every partner."""

    async def referral_add(self, args: Arguments) -> Any:
        """File a referral."""

    async def referral_import(self, args: Arguments) -> Any:
        """File many, or see which could not be."""

    async def referral_list(self, args: Arguments) -> Any:
        """Referrals, the latest declared first."""

    async def referral_withdraw(self, args: Arguments) -> Any:
        """Take a referral back."""

    async def pass_issue(self, args: Arguments) -> Any:
        """Make a pass."""

    async def pass_scan(self, args: Arguments) -> Any:
        """A visitor showed a pass."""

    async def check_in(self, args: Arguments) -> Any:
        """Somebody gave a contact."""


class SigningApi(Protocol):
    """Signed contracts. Results hold no document and no contact."""

    async def signing_add(self, args: Arguments) -> Any:
        """Somebody signed."""

    async def signing_list(self, args: Arguments) -> Any:
        """Signings, newest first."""


class IdentityApi(Protocol):
    """What people at the site say of visitors."""

    async def staff_mark(self, args: Arguments) -> Any:
        """A visitor belongs to the staff."""

    async def staff_list(self) -> Any:
        """Who does, or did."""

    async def staff_end(self, args: Arguments) -> Any:
        """No longer."""

    async def split(self, args: Arguments) -> Any:
        """Visitors are different people."""

    async def merge(self, args: Arguments) -> Any:
        """Visitors are one person."""


class KioskApi(Protocol):
    """A tablet at a consent point. Results are for the one person before it."""

    def terms(self, zone_id: str, language: str) -> Any:
        """What a person agrees to there."""

    def state(self, zone_id: str) -> Any:
        """Whether anybody can be recognised there now, and whether somebody has yet to be asked."""

    async def capture(self, zone_id: str, args: Arguments, photo: bytes | None) -> Any:
        """Look at the person."""

    async def agree(self, zone_id: str, capture_id: str, args: Arguments) -> Any:
        """Remember the person who was looked at."""

    async def decline(self, zone_id: str) -> Any:
        """A pass, without a template."""

    def cancel(self, zone_id: str) -> None:
        """Drop what was begun."""

    async def back(self, zone_id: str) -> Any:
        """Recognise the person."""

    def open_pass(self, zone_id: str) -> None:
        """Wait for a pass to be shown to the camera."""

    def pass_state(self, zone_id: str) -> Any:
        """Whether one was."""

    async def show_pass(self, zone_id: str, code: str) -> Any:
        """A pass was typed."""

    async def renew(self, zone_id: str, args: Arguments) -> Any:
        """Whoever was just greeted agrees again."""

    async def own_page(self, zone_id: str) -> Any:
        """A link for whoever has just shown a pass."""


class MineApi(Protocol):
    """A visitor's own page. Raises `UnauthorizedError` for a token that opens nothing."""

    async def read(self, token: str) -> Any:
        """Everything that is kept about whoever has this token."""

    async def withdraw(self, token: str) -> Any:
        """Erase them."""


class SubjectsApi(Protocol):
    """Those who answer to a visitor."""

    async def subject_get(self, args: Arguments, role: str, token_id: str | None) -> Any:
        """Everything that is kept about one visitor, for whoever this token is of."""


class NotaryApi(Protocol):
    """What makes the record provable."""

    async def ledger_verify(self, args: Arguments) -> Any:
        """Whether the record of every processing act is as it was written."""

    async def case_export(self, args: Arguments, role: str, token_id: str | None) -> Any:
        """A case's evidence pack, for whoever this token is of."""


class ReceiptsApi(Protocol):
    """Receipts for erasures."""

    async def receipt_list(self) -> Any:
        """Those that nobody has taken."""

    async def receipt_take(self, args: Arguments) -> Any:
        """One of them."""


class ConsentApi(Protocol):
    """Those who agree to be recognised."""

    async def grant(self, args: Arguments) -> Any:
        """Remember a person who agrees."""

    async def renew(self, args: Arguments) -> Any:
        """A person who is remembered agrees again."""

    async def withdraw(self, args: Arguments) -> Any:
        """Forget a person."""

    async def all(self) -> Any:
        """Consents in force."""


class KeeperApi(Protocol):
    """Those who answer for the data."""

    async def retention_get(self) -> Any:
        """How long each class of data is kept."""

    async def retention_set(self, args: Arguments, by: str, user: str | None = None) -> Any:
        """Keep it for longer or shorter. `by` is the token, `user` a hub's."""

    async def retention_purge(self, args: Arguments, by: str) -> Any:
        """Remove what is due, now. `by` is the token."""

    async def retention_status(self) -> Any:
        """What was removed last, and what is due next."""


class SettingsApi(Protocol):
    """What may be set while the engine runs. `by` is the token."""

    def listed(self) -> Any:
        """Every setting, with how far it may be changed."""

    def history(self) -> Any:
        """Every change of an attribution setting, the newest first."""

    async def set(self, args: Arguments, by: str) -> Any:
        """Change one, or take a change back."""


class ReadingsApi(Protocol):
    """The record of who read what."""

    async def read(self, act: str, role: str, token_id: str | None, rows: int, user: str | None = None) -> None:
        """A client is about to be given `rows` of what is kept of people. Raises `RetryError`: then it is not."""


class PortalApi(Protocol):
    """A channel partner's own business. `args["partner"]` is the caller's, from its token."""

    async def linking(self, partner: str) -> Any:
        """A link is about to be made for a partner."""

    async def claim_list(self, args: Arguments) -> Any:
        """Its referrals, and what became of them."""

    async def claim_appeal(self, args: Arguments, by: str) -> Any:
        """Ask that a decision be looked at again; `by` is the token."""


class CasesApi(Protocol):
    """Those who settle what visits came to. `by` is the token that a command came with."""

    async def listed(self, args: Arguments) -> Any:
        """Cases, newest visit first."""

    async def get(self, args: Arguments, by: str) -> Any:
        """A case, what its verdict rests on, and its history."""

    async def confirm(self, args: Arguments, by: str) -> Any:
        """The verdict is right."""

    async def change(self, args: Arguments, by: str) -> Any:
        """The verdict is another one."""

    async def second(self, args: Arguments, by: str) -> Any:
        """A second person's word on a change."""

    async def send_back(self, args: Arguments, by: str) -> Any:
        """Somebody has to find out more."""

    async def report(self, args: Arguments) -> Any:
        """Counts of visits."""


class ArmingApi(Protocol):
    """What arms and disarms by people's hands. `by` is the token that a command came with."""

    async def recognition(self, args: Arguments, by: str) -> Any:
        """Switch recognition on or off, on the whole site or in one zone."""

    async def camera_recognition(self, args: Arguments, by: str) -> Any:
        """The same of one camera."""

    async def assessment_acknowledge(self, args: Arguments) -> Any:
        """A person stands for the impact assessment."""

    async def assessment_list(self) -> Any:
        """Every assessment that is kept."""


class EngineApi(Protocol):
    """The engine as commands see it. Results are JSON-able; refusals are `BridgeError`s, whose code goes on the wire."""

    @property
    def engine_id(self) -> str:
        """Names this installation, for as long as its data directory lives."""

    @property
    def config(self) -> Config:
        """The site's settings."""

    @property
    def tokens(self) -> TokenTable:
        """Who may connect."""

    @property
    def bus(self) -> Bus:
        """Where events, states and withdrawals are told, after they are stored."""

    @property
    def kiosk(self) -> KioskApi:
        """A tablet at a consent point."""

    @property
    def mine(self) -> MineApi:
        """A visitor's own page."""

    @property
    def subjects(self) -> SubjectsApi:
        """Those who answer to a visitor."""

    @property
    def desk(self) -> DeskApi:
        """Those who register visitors and referrals."""

    @property
    def signings(self) -> SigningApi:
        """Signed contracts."""

    @property
    def identities(self) -> IdentityApi:
        """What people at the site say of visitors."""

    @property
    def readings(self) -> ReadingsApi:
        """The record of who read what."""

    @property
    def portal(self) -> PortalApi:
        """Channel partners."""

    @property
    def notary(self) -> NotaryApi:
        """What makes the record provable."""

    @property
    def receipts(self) -> ReceiptsApi:
        """Receipts for erasures."""

    @property
    def consents(self) -> ConsentApi:
        """Those who agree to be recognised."""

    @property
    def keeper(self) -> KeeperApi:
        """Those who answer for the data."""

    @property
    def settings(self) -> SettingsApi:
        """What may be set while the engine runs."""

    @property
    def arming(self) -> ArmingApi:
        """Those who switch, and those who stand for the impact assessment."""

    @property
    def cases(self) -> CasesApi:
        """Those who settle what visits came to."""

    def status(self) -> EngineStatus:
        """The engine's own state, now."""

    def snapshot(self) -> Snapshot:
        """Everything's state, now. Takes no turn of the event loop."""

    def latest_sequence(self) -> int:
        """The number of the newest event; 0 for an empty log."""

    async def events_since(self, sequence: int) -> list[EventMessage]:
        """Every event after `sequence`, oldest first, marked as replayed."""

    def tell(self, event: Event) -> EventMessage:
        """An event as clients are told it: with the alias, if there still is one, in place of the visitor's id."""

    def sign(self, connection: str, zone_id: str, on: bool | None, notice_hash: str) -> None:
        """A hub reports a zone's sign; None: from now on it does not any more."""

    async def act(self, zone_id: str) -> Any:
        """A person acted for one passage."""

    def connection_closed(self, connection: str) -> None:
        """A client is gone, and with it what it vouched for. Called once for every client that was let in."""

    async def visit_list(self, args: Arguments) -> Any:
        """Visits, newest first."""

    async def attribution_replay(self, args: Arguments) -> Any:
        """Days of the store, judged anew."""

    async def sighting_list(self, args: Arguments) -> Any:
        """Sightings, newest first."""

    async def camera_list(self) -> Any:
        """Cameras and their state."""

    async def camera_add(self, args: Arguments, by: str) -> Any:
        """Pull one more channel."""

    async def camera_remove(self, args: Arguments, by: str) -> Any:
        """Stop pulling a channel."""

    async def camera_discover(self, args: Arguments) -> Any:
        """Devices that answer on the site's interfaces, or at one address."""
