"""ATT&CK's enterprise tactics by the names that Sigma's tags give them, in the order of an intrusion."""

from typing import Final

from crypto.words import Words

TACTICS: Final = {
    "reconnaissance": Words("侦察", "Reconnaissance"),
    "resource-development": Words("资源准备", "Resource Development"),
    "initial-access": Words("初始访问", "Initial Access"),
    "execution": Words("执行", "Execution"),
    "persistence": Words("持久化", "Persistence"),
    "privilege-escalation": Words("权限提升", "Privilege Escalation"),
    "defense-evasion": Words("防御规避", "Defense Evasion"),
    "stealth": Words("隐蔽", "Stealth"),
    "defense-impairment": Words("削弱防御", "Defense Impairment"),
    "credential-access": Words("凭据获取", "Credential Access"),
    "discovery": Words("发现", "Discovery"),
    "lateral-movement": Words("横向移动", "Lateral Movement"),
    "collection": Words("收集", "Collection"),
    "command-and-control": Words("命令与控制", "Command and Control"),
    "exfiltration": Words("数据外传", "Exfiltration"),
    "impact": Words("破坏影响", "Impact"),
}
OTHER: Final = Words("未标战术", "No tactic named")


def tactics_of(tags: object) -> tuple[str, ...]:
    """The tactics among a rule's tags: attack.defense_evasion and attack.defense-evasion are one."""
    names = [str(tag).lower() for tag in tags] if isinstance(tags, list) else []
    said = (name.removeprefix("attack.").replace("_", "-") for name in names if name.startswith("attack."))
    return tuple(dict.fromkeys(name for name in said if name in TACTICS))
