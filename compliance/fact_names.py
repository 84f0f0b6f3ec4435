"""What people call the facts that checks rest on: sentences name them, their ids stay in the evidence.

Documents are called as their own titles say (``rules/mappings/documents.yaml``, kept equal by a test).
"""

from types import MappingProxyType
from typing import Final

from crypto.words import Words

FACTS: Final = MappingProxyType(
    {
        "access.sources": Words("管理访问来源限制", "limits on where administrators come from"),
        "accounts.activity": Words("账号活动", "use of accounts"),
        "accounts.local": Words("本机账号", "local accounts"),
        "accounts.password_policy": Words("口令策略", "password policy"),
        "alerts.open": Words("未关闭告警", "open alerts"),
        "antimalware.state": Words("恶意代码防护状态", "malware protection"),
        "assets.registered": Words("资产登记", "registered assets"),
        "audit.protection": Words("审计记录保护", "protection of audit records"),
        "audit.records": Words("审计记录", "audit records"),
        "audit.state": Words("审计服务状态", "state of auditing"),
        "authentication.factors": Words("登录双因素", "factors of logins"),
        "center.accounts": Words("本平台账号", "accounts of this center"),
        "certificates.installed": Words("证书", "installed certificates"),
        "files.modes": Words("关键文件权限", "modes of key files"),
        "import.access.records": Words("机房进出记录", "Machine-room entry records"),
        "import.application.logs": Words("应用审计日志接入情况", "Audit logs of applications"),
        "import.backup.jobs": Words("备份任务结果", "Results of backup jobs"),
        "import.backup.restores": Words("恢复演练记录", "Restore exercises"),
        "import.bastion.logins": Words("堡垒机登录统计", "Logins at the bastion"),
        "import.boundary.logs": Words("边界日志接入情况", "Logs of boundary devices"),
        "import.capacity.state": Words("带宽与设备负载", "Bandwidth and device load"),
        "import.certificates.register": Words("证书台账", "Certificates"),
        "import.changes.register": Words("变更与配置漂移", "Changes and drift"),
        "import.code.scan": Words("代码与应用扫描结果", "Scan of code and applications"),
        "import.endpoint.protection": Words("终端防病毒清单", "Endpoint protection"),
        "import.environment.readings": Words("温湿度读数", "Temperature and humidity readings"),
        "import.exposure.list": Words("互联网暴露面清单", "What the Internet can reach"),
        "import.firewall.policy": Words("防火墙策略", "Firewall policy"),
        "import.gateway.protection": Words(
            "网关防病毒与反垃圾邮件", "Malware and spam protection of gateways"
        ),
        "import.incident.register": Words("事件报告台账", "Incidents reported"),
        "import.interfaces.register": Words("应用接口台账", "Interfaces of applications"),
        "import.keys.register": Words("密钥台账", "Key register"),
        "import.leak.state": Words("漏水检测状态", "Leak detection state"),
        "import.leavers.list": Words("离岗人员账号停用", "Accounts of leavers"),
        "import.maintenance.windows": Words("远程运维通道", "Remote maintenance channels"),
        "import.outsiders.list": Words("外部人员临时账号", "Accounts of outsiders"),
        "import.page.checks": Words("网页巡检", "Web page checks"),
        "import.releases.register": Words("发布单与线上版本", "Releases and what runs"),
        "import.replication.state": Words("异地复制与热冗余", "Replication and standby"),
        "import.surveillance.state": Words("视频监控与报警状态", "Surveillance and alarm state"),
        "import.switch.ports": Words("边界设备接口清单", "Ports of boundary devices"),
        "import.transfers.sharing": Words("共享交换台账", "Sharing register"),
        "import.ups.state": Words("UPS 状态", "UPS state"),
        "import.vulnerability.scan": Words("漏洞扫描结果", "Vulnerability scan"),
        "import.wireless.access_points": Words("无线接入点清单", "Wireless access points"),
        "import.zones.compare": Words("网段与备案拓扑对照", "Segments seen against the filed topology"),
        "ledger.state": Words("证据账本状态", "state of the evidence ledger"),
        "listeners.inventory": Words("监听端口", "listening ports"),
        "logs.protection": Words("日志保护", "protection of logs"),
        "logs.retention": Words("日志留存", "retention of logs"),
        "network.exits": Words("网络出口", "network exits"),
        "orders.state": Words("整改单状态", "state of rectification orders"),
        "pam.lockout": Words("登录失败锁定", "lockout after failed logins"),
        "patch.state": Words("补丁状态", "state of patches"),
        "registry.system": Words("定级备案登记", "registration of the system"),
        "remote.management": Words("远程管理方式", "remote management"),
        "removable.storage": Words("移动存储管控", "control of removable storage"),
        "retention.events": Words("事件留存", "retention of events"),
        "security.labels": Words("安全标记", "security labels"),
        "sensor.host": Words("主机传感器", "host sensor"),
        "sensor.network": Words("网络传感器", "network sensor"),
        "session.residue": Words("剩余信息清除", "residues of sessions"),
        "session.timeout": Words("会话超时", "session timeout"),
        "shares.state": Words("共享服务", "shares"),
        "software.minimal": Words("最小安装", "minimal installation"),
        "sshd.config": Words("SSH 服务配置", "SSH server settings"),
        "sudo.rules": Words("sudo 规则", "sudo rules"),
        "time.sync": Words("时间同步", "time synchronisation"),
        "transfer.bound": Words("跨网传输与单据绑定", "binding of transfers to their orders"),
        "transfer.channels": Words("跨网传输通道", "transfer channels"),
        "transfer.sealed": Words("跨网传输封装", "sealing of transfers"),
        "trusted.start": Words("可信启动", "trusted start"),
    }
)


def fact_name(fact: str) -> Words:
    """The fact's name, its id where a site's own checklist asks for one the product does not know."""
    return FACTS.get(fact) or Words(fact, fact)
