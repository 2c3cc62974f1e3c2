"""What visitors are told when `bridge.yaml` brings no text of its own."""

from __future__ import annotations

DEFAULT_NOTICES = {
    "en": (
        "Cameras in the marked areas can recognise visitors who agreed to be remembered. Nobody else's face is measured. "
        "Purpose: to know who introduced a visitor. Kept on this site, encrypted, until the date you agree to or until you "
        "withdraw, whichever is first. Declining costs nothing: ask the desk for a pass. Withdraw at the desk at any time."
    ),
    "zh-Hans": (
        "标示区域内的摄像机仅识别已同意被记住的访客，不会测量任何其他人的面部。目的：确认访客由谁介绍。"
        "数据加密保存在本场所，至您同意的期限或您撤回同意时为止（以较早者为准）。"
        "不同意不影响任何服务：请向前台领取访客码。您可随时在前台撤回同意。"
    ),
}

DEFAULT_PURPOSES = {
    "en": "to recognise you when you come back, so that it is known who introduced you",
    "zh-Hans": "在您再次来访时认出您，以确认是谁介绍您来的",
}
