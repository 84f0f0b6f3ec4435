import { afterEach, describe, expect, it } from "vitest";
import { actorName, entityName } from "../src/called";
import { resultLook, resultName } from "../src/audit/result";
import { typeset } from "../src/format";
import { quoted, told } from "../src/i18n";
import { language } from "../src/preferences";
import { sourceName } from "../src/sensors/tree";

afterEach(() => (language.value = "zh"));

describe("who and what", () => {
  it("are named instead of coded", () => {
    language.value = "zh";
    expect(actorName("user:zhang.san")).toBe("zhang.san");
    expect(actorName("system:jobs")).toBe("系统：定时任务");
    expect(actorName("")).toBe("");
    expect(actorName("robot:r2")).toBe("robot:r2");
    expect(entityName("host:web-01")).toBe("主机 web-01");
    expect(entityName("user:root@web-01")).toBe("用户 root@web-01");
    expect(entityName("fe80::1")).toBe("fe80::1");
    expect(sourceName("logins:btmp")).toBe("登录失败记录");
    expect(sourceName("capture:eth0")).toBe("报文采集 eth0");
    language.value = "en";
    expect(actorName("system:jobs")).toBe("System: jobs");
    expect(entityName("host:web-01")).toBe("Host web-01");
  });

  it("ended well or not", () => {
    expect(resultName("refused: second-factor")).toBe("已拒绝: second-factor");
    expect(resultLook("accepted").tone).toBe("green");
    expect(resultLook("something").tone).toBe("grey");
  });
});

describe("a Chinese sentence", () => {
  it("has Chinese punctuation, values keep theirs", () => {
    expect(typeset("尚未收到 import.ups.state;需人工证明,尚无有效证明")).toBe("尚未收到 import.ups.state；需人工证明，尚无有效证明");
    expect(typeset("地址归属反复变化(疑似 ARP 欺骗)")).toBe("地址归属反复变化（疑似 ARP 欺骗）");
    expect(typeset("例如 主机:web-01 或 count(a, b)")).toBe("例如 主机:web-01 或 count(a, b)");
    expect(typeset("读取失败: Permission denied")).toBe("读取失败：Permission denied");
  });

  it("is left alone where it quotes an event", () => {
    const said = { zh: "执行了 cat 报表(终).txt", en: "ran cat" };
    expect(quoted(said)).toBe(said.zh);
    expect(told(said)).not.toBe(said.zh);
  });
});
