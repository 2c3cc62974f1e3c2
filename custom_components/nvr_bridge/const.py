"""Names and numbers that more than one file of the integration needs."""

from homeassistant.const import Platform

DOMAIN = "nvr_bridge"
PLATFORMS = [Platform.BINARY_SENSOR, Platform.BUTTON, Platform.EVENT, Platform.NUMBER]
PLATFORMS += [Platform.SELECT, Platform.SENSOR, Platform.SWITCH, Platform.TODO]

SCHEMA = 1  # of the wire contract, the newest version spoken here
OLDEST_SCHEMA = 1
DEFAULT_PORT = 8645

# What is told of a zone; what a newer engine tells beyond that is not shown.
EVENT_TYPES = ["person_approaching", "first_visit", "returning_visit", "visit_ended"]
EVENT_TYPES += ["consent_granted", "consent_withdrawn", "channel_visit", "risk_raised", "attribution"]

# What the engine says that a person has to do, each with a text of its own; a newer engine's have one for all of them.
PROBLEMS = {"assessment_expired", "assessment_expires", "assessment_missing", "clock_doubted", "erasures_overdue"}
PROBLEMS |= {"many_subjects", "needs_credentials", "no_video", "notice_changed", "policy", "settings_edited"}
PROBLEMS |= {"sign_off", "sign_silent", "sign_unknown"}

CONF_CAMERAS = "cameras"  # in the data: the ids of those that were given a part
CONF_FINGERPRINT = "fingerprint"  # in the data, where the connection is encrypted: of the engine's certificate

CONF_ZONE = "zone"
CONF_ZONES = "zones"  # in the options: zone id → these, with the notice that the user confirmed
CONF_SIGN = "sign"
CONF_ACT = "act"
CONF_NOTICE_HASH = "notice_hash"
