"""What a verdict rests on, in words: English and simplified Chinese side by side. Pure.

Explaining yields `Said`: which words, and what goes into their places. `say` turns it into one language's text.
`docs/attribution.md` lists all names.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Literal

Language = Literal["en", "zh-Hans"]
LANGUAGES: tuple[Language, ...] = ("en", "zh-Hans")


@dataclass(frozen=True, slots=True)
class Words:
    """A text in each language. `{place}` is where something is put in; both have the same places."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        """The text in one language."""
        return self.en if language == "en" else self.zh


@dataclass(frozen=True, slots=True)
class Said:
    """One of `WORDS`, by kind and key, with what is put into its places: text as it is, words, or a list of them."""

    kind: str
    key: str
    places: Mapping[str, Place] = field(default_factory=dict)


type Place = str | Said | Sequence[Place]

# Names: each kind has words for all that its type allows, and a test compares them.
NAMES = {
    "attribution": {
        "natural": Words("natural visit", "自然到访"),
        "channel": Words("brought by a channel partner", "渠道带访"),
        "staff": Words("staff", "员工"),
        "undetermined": Words("undetermined", "待定"),
    },
    "rule": {
        "staff": Words("staff", "员工"),
        "undetermined": Words("undetermined", "待定"),
        "channel_protected": Words("protected, channel", "渠道保护期内"),
        "natural_protected": Words("protected, natural", "自然到访保护期内"),
        "referral_valid": Words("valid referral", "报备有效"),
        "late_referral": Words("late referral", "报备过晚"),
        "natural": Words("natural", "自然到访"),
        "review": Words("review", "人工复核"),
    },
    "risk": {
        "late_referral": Words("late referral", "报备过晚"),
        "intercepted": Words("natural visit before a referral", "报备前已有自然到访"),
        "competing_referrals": Words("competing referrals", "多个渠道的报备冲突"),
        "repeated_referral": Words("repeated referral", "过期后重复报备"),
        "contact_changed": Words("another number than before", "号码与之前不同"),
        "unregistered_visit": Words("unregistered visit", "到访未登记"),
        "co_signers_differ": Words("co-signers differ", "共同签约人归属不一致"),
        "evidence_changed": Words("evidence changed after the review", "复核后证据有变"),
    },
    "doubt": {
        "earlier_visit": Words("what an earlier visit came to", "较早一次到访的归属"),
        "masked_contact": Words("whose the masked number is", "打码号码属于谁"),
        "lead_time": Words("whether a referral came in time", "报备是否足够提前"),
        "validity": Words("whether a referral had lapsed", "报备是否已过有效期"),
        "withdrawal": Words("whether a referral had been taken back", "报备是否已撤回"),
        "protection": Words("whether a protection had ended", "渠道保护期是否已结束"),
        "natural_protection": Words(
            "whether a natural visit was too long ago to intercept a referral", "自然到访是否已久到不再影响报备"
        ),
        "intercepted_before": Words(
            "whether a natural visit came before a referral could count", "自然到访是否早于报备生效"
        ),
        "staff_from": Words("whether a staff mark had begun", "员工标记是否已开始"),
        "staff_until": Words("whether a staff mark had ended", "员工标记是否已结束"),
        "visit_gap": Words("whether it is one visit or two", "是一次到访还是两次"),
        "overlap": Words("whether two visitors with one number were there at once", "同一号码的两位访客是否同时在场"),
        "settings": Words("which settings were in force", "当时生效的是哪一版设置"),
    },
    "referral": {
        "valid": Words("valid", "有效"),
        "intercepted": Words("a natural visit came first", "自然到访在先"),
        "late": Words("too late", "过晚"),
        "withdrawn": Words("taken back", "已撤回"),
        "lapsed": Words("lapsed", "已过期"),
        "not considered": Words("not considered", "未予考虑"),
    },
    "tie": {
        "contact": Words("the whole number", "完整号码"),
        "masked contact": Words("a masked number", "打码号码"),
    },
    "link": {
        "template": Words("recognised", "人脸识别"),
        "ambiguous template": Words("recognised below the match bar", "人脸相似度未达标准"),
        "pass": Words("pass", "访客码"),
        "document": Words("identity document", "身份证件"),
        "contact": Words("telephone number", "电话号码"),
    },
}
WORDS: Mapping[str, Mapping[str, Words]] = NAMES | {
    "part": {
        "claim": Words("referral {referral} of {partner}", "渠道“{partner}”的报备“{referral}”"),
        "some_claim": Words("a referral", "报备"),
        "partner": Words("{partner}", "渠道“{partner}”"),
        "and": Words(" and ", "和"),
        "comma": Words(", ", "、"),
    },
    "why": {
        "staff": Words("A staff mark holds.", "员工标记有效。"),
        "channel_protected": Words(
            "An earlier visit was given to {partner}, whose protection still holds.",
            "较早一次到访已归渠道“{partner}”，其保护期仍有效。",
        ),
        "natural_protected": Words(
            "The person had come naturally before {claims} could count.",
            "在{claims}生效之前，此人已自然到访。",
        ),
        "referral_valid": Words(
            "Referral {referral} of {partner} was declared {declared}, in time; no earlier visit intercepts it.",
            "渠道“{partner}”的报备“{referral}”于 {declared} 提交，足够提前；此前没有自然到访影响该报备。",
        ),
        "winner_open": Words(
            "Valid referrals of {partners}, and the site leaves the winner to a person.",
            "{partners}的报备均有效，归属须由人工决定。",
        ),
        "late_referral": Words(
            "The person came naturally; {claims} came too late.", "此人为自然到访；{claims}提交过晚。"
        ),
        "natural": Words("No referral holds for this visit.", "本次到访没有有效的报备。"),
        "review": Words("A reviewer set the verdict.", "该判定由复核人作出。"),
        "below_the_bar": Words(
            "Every sighting of this visit is below the match bar, so it may be somebody else's.",
            "本次到访的人脸相似度均未达标准，可能是他人。",
        ),
        "whose": Words("It cannot be told whose visit this is.", "无法确定这是谁的到访。"),
        "doubts": Words(
            "The verdict depends on what the evidence leaves open: {doubts}.",
            "判定取决于证据未能确定的事项：{doubts}。",
        ),
        "erased": Words(
            "{why} The evidence was erased since: the verdict stays as it was and is not replayed.",
            "{why}相关证据其后已删除：判定保持原样，不再重新计算。",
        ),
        "signed": Words(
            "The verdict of the visit it falls in, which began {start}.", "采用签约所在到访的判定，该到访始于 {start}。"
        ),
        "co_signers_differ": Words(
            "The signer's visit and a co-signer's standing at that moment give different verdicts.",
            "签约人的到访与共同签约人当时的情况得出不同的判定。",
        ),
    },
}


def say(said: Said, language: Language) -> str:
    """The text in one language."""
    places = {place: _filled(value, language) for place, value in said.places.items()}
    return WORDS[said.kind][said.key].of(language).format(**places)


def name(kind: str, key: str, language: Language) -> str:
    """What a rule, a risk or anything else in `NAMES` is called."""
    return NAMES[kind][key].of(language)


# --- helpers ------------------------------------------------------------------------------------------------------


def _filled(value: Place, language: Language) -> str:
    if isinstance(value, str):
        return value
    if isinstance(value, Said):
        return say(value, language)
    *most, last = [_filled(one, language) for one in value]
    comma, conjunction = (WORDS["part"][key].of(language) for key in ("comma", "and"))
    return f"{comma.join(most)}{conjunction}{last}" if most else last
