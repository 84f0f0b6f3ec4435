"""What the login says where it says no; an unknown name gets the words of a wrong password."""

from crypto.words import BadInput, LiuheError, Refused, Words


def malformed(field: str, reason: Words) -> BadInput:
    """What is wrong with a new account."""
    return BadInput(
        "account-malformed", reason, Words("请改正后重试", "correct it and try again"), field=field
    )


def login_refused(failures_max: int) -> LiuheError:
    """The one answer to a wrong name, password or code."""
    return Refused(
        "login-refused",
        Words("用户名、口令或动态码不对", "the user name, the password or the code is wrong"),
        Words(
            f"请核对后重试,动态码只能用一次;连续 {failures_max} 次不对将锁定 30 分钟",
            f"check them and try again; a code is good for one login, and {failures_max} failures in a row "
            "lock the name for 30 minutes",
        ),
    )


def locked() -> LiuheError:
    """The answer to a locked name."""
    return Refused(
        "login-locked",
        Words("该用户名因多次失败已锁定", "this user name is locked after too many failures"),
        Words(
            "请在 30 分钟后重试,或联系安全管理员",
            "try again in 30 minutes, or ask the security administrator",
        ),
    )


def waits() -> LiuheError:
    """The answer to an account the security administrator has yet to agree to."""
    return Refused(
        "account-waits",
        Words("账号尚待安全管理员授权", "the account waits for the security administrator"),
        Words("请联系安全管理员授予角色或确认", "ask the security administrator to grant or release it"),
    )


def one_time_expired() -> LiuheError:
    """The answer to a one-time password of yesterday."""
    return Refused(
        "password-expired",
        Words("一次性口令已过期(24 小时)", "the one-time password has expired (24 hours)"),
        Words("请让系统管理员重新签发", "ask the system administrator for a new one"),
    )
