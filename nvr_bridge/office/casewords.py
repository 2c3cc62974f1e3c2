"""What stands on the page of an evidence pack, in English and in simplified Chinese. What verdicts are called is in `words`."""

from __future__ import annotations

from collections.abc import Mapping

from ..visits.words import Words

WORDS: Mapping[str, Words] = {
    "title": Words("Evidence about case {case}", "案件 {case} 的证据"),
    "lead": Words(
        "{site} has signed this file. It says what was recorded about one visit, what the rules made of it, and what people"
        " decided. It can be checked without the site, as described at the end.",
        "本文件由“{site}”签名。其中载明一次到访的记录、规则据此作出的判定，以及人工的处理。无需该场所参与即可校验，方法见文末。",
    ),
    "verdict": Words("Verdict", "判定"),
    "attribution": Words("Attribution", "归属"),
    "partner": Words("Channel partner", "渠道"),
    "rule": Words("Rule", "适用规则"),
    "why": Words("Why", "理由"),
    "told": Words("Told by the engine", "系统已通知的判定"),
    "told_since": Words("{answer}, since {at} (ledger entry: {entry})", "{answer}，自 {at} 起（台账条目：{entry}）"),
    "rules_say": Words("The rules alone say", "仅按规则的判定"),
    "risks": Words("To be looked at", "需关注"),
    "state": Words("Case", "案件状态"),
    "erased": Words(
        "The visitor withdrew, and what they left was erased. The verdict is as it was then.",
        "访客已撤回同意，其留下的数据已删除。判定保持删除时的原样。",
    ),
    "ambiguous": Words("It cannot be told for certain whose visit this is.", "无法确定这是谁的到访。"),
    "visit": Words("Visit", "到访"),
    "alias": Words("Visitor, as called here", "访客代称"),
    "zone": Words("Where", "地点"),
    "start": Words("From", "开始"),
    "end": Words("To", "结束"),
    "returning": Words("Earlier visits", "此前到访次数"),
    "last": Words("The last of them", "最近一次"),
    "presence": Words("What was recorded of the visit", "到访的记录"),
    "when": Words("When", "时间"),
    "what": Words("What", "内容"),
    "score": Words("Score and margin", "相似度与差距"),
    "proof": Words("Ledger entry", "台账条目"),
    "not_proved": Words("not proved", "无证明"),
    "sighting": Words("recognised", "人脸识别"),
    "pass": Words("pass shown", "出示访客码"),
    "check_in": Words("number left at the desk", "在前台登记号码"),
    "signing": Words("contract signed", "签署合同"),
    "links": Words("How the visitor is known", "如何确认访客"),
    "uncertainty": Words("What the evidence leaves open", "证据未能确定的事项"),
    "difference": Words("{difference} s apart, with an error of {error} s", "相差 {difference} 秒，误差为 {error} 秒"),
    "referrals": Words("Referrals that concern this visit", "与本次到访有关的报备"),
    "referral": Words("Referral", "报备"),
    "declared": Words("Declared", "报备时间"),
    "filed": Words("Reached the engine", "送达系统时间"),
    "withdrawn": Words("Taken back", "撤回时间"),
    "judged": Words("For this visit", "就本次到访而言"),
    "tied_by": Words("Tied by", "关联方式"),
    "history": Words("What people decided", "人工处理"),
    "by": Words("By", "处理人"),
    "answer": Words("Result", "结果"),
    "reason": Words("Reason", "理由"),
    "settings": Words("Settings in force", "生效的设置"),
    "setting": Words("Setting", "设置"),
    "value": Words("Value", "数值"),
    "days": Words("{number} d", "{number} 天"),
    "hours": Words("{number} h", "{number} 小时"),
    "minutes": Words("{number} min", "{number} 分钟"),
    "seconds": Words("{number} s", "{number} 秒"),
    "none": Words("none", "无"),
    "nothing": Words("Nothing.", "无。"),
    "engine": Words("the engine itself", "系统自身"),
    "reviewer": Words("reviewer {number}", "复核人 {number}"),
    "person": Words("visitor {number}", "访客 {number}"),
    "check": Words("How to check this file", "如何校验本文件"),
    "check_1": Words(
        "On any computer with Python: pip install 'nvr-bridge[verify]', then",
        "在任意装有 Python 的电脑上：pip install 'nvr-bridge[verify]'，然后运行",
    ),
    "check_2": Words(
        "It needs neither the site nor the internet. If a single character of this file was changed, it says which line.",
        "校验不需要该场所，也不需要联网。文件中任何一个字符被改动，都会指出所在的行。",
    ),
    "check_3": Words(
        "The fingerprint must be the one that the site gave you by another way, such as in the contract. In this file it is:",
        "指纹必须与该场所通过其他途径（例如合同）给您的一致。本文件中的指纹为：",
    ),
    "proves": Words("What it proves, and what not", "能证明什么，不能证明什么"),
    "proves_1": Words(
        "The site's engine signed all of this, and nothing was changed since.",
        "全部内容由该场所的系统签名，此后未经改动。",
    ),
    "proves_2": Words(
        "What names a ledger entry stood in the site's ledger, in these words, when the checkpoint was signed ({at}, entry"
        " {entries} the newest); no entry can be added before others, changed or taken out afterwards without its showing.",
        "凡注明台账条目的内容，在检查点签名时（{at}，最新为第 {entries} 条）已原样载于该场所的台账；"
        "此后插入、修改或删除此前的任何条目，都会被发现。",
    ),
    "proves_3": Words(
        "It does not prove that what was recorded is true: that a camera saw the right person, or that a desk asked for the"
        " right number. The times are those of the engine's clock.",
        "它不能证明所记录的内容属实，例如摄像机识别的人是否正确，或前台登记的号码是否正确。时间以系统时钟为准。",
    ),
    "proves_4": Words(
        "It does not prove that nothing was left out: another referral or record that the site did not enter is not in it.",
        "它不能证明没有遗漏：该场所未录入的报备或记录不会出现在其中。",
    ),
    "kept_back": Words(
        "Telephone numbers, documents, names and pictures of faces are not in this file, and cannot be computed from it.",
        "本文件不含电话号码、证件、姓名和人脸图像，也无法从中推算出来。",
    ),
    "data": Words("The data that is checked", "校验所用的数据"),
}

STATES: Mapping[str, Words] = {
    "proposed": Words("proposed by the rules", "规则建议，待确认"),
    "awaiting_second": Words("a change waits for a second person", "变更待第二人确认"),
    "confirmed": Words("confirmed", "已确认"),
    "changed": Words("changed by a person", "已由人工变更"),
    "sent_back": Words("sent back", "已退回"),
    "appealed": Words("appealed", "已申诉"),
    "closed": Words("closed by a signed contract", "已因签约结案"),
}

ACTS: Mapping[str, Words] = {
    "confirm": Words("confirmed", "确认"),
    "change": Words("changed", "变更"),
    "agree": Words("change agreed to", "同意变更"),
    "refuse": Words("change refused", "拒绝变更"),
    "send_back": Words("sent back", "退回"),
    "appeal": Words("appeal", "申诉"),
    "sign": Words("contract signed", "签约"),
    "reopen": Words("opened again by new evidence", "因新证据重新打开"),
}

WINNERS: Mapping[str, Words] = {
    "first_declared": Words("the first declared", "最先报备者"),
    "undetermined": Words("whom a person chooses", "由人工决定"),
}

SETTINGS: Mapping[str, Words] = {
    "lead_time": Words("a referral must come so long before the visit", "报备须提前的时间"),
    "validity": Words("a referral is valid for", "报备有效期"),
    "protection": Words("a channel's protection lasts", "渠道保护期"),
    "natural_protection": Words("a natural visit keeps referrals off for", "自然到访保护期"),
    "visit_gap": Words("a visit ends after so long without presence", "无出现多久后到访结束"),
    "winner": Words("of several valid referrals wins", "多个有效报备时的归属"),
    "close_of_day": Words("close of day", "当日截止时间"),
    "timezone": Words("time zone", "时区"),
    "match_score": Words("least score of a match", "识别所需的最低相似度"),
    "match_margin": Words("least margin of a match", "识别所需的最低差距"),
    "clock_error": Words("error of the cameras' times", "摄像机时间误差"),
}
