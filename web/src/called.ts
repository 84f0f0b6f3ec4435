/** Names a person reads instead of the codes the API sends: who acted, what an alert is about, which unit. */
import { useQuery } from "@tanstack/vue-query";
import { computed } from "vue";
import { entityOf } from "./alerts/entity";
import { get } from "./api/client";
import type { UnitPage } from "./api/types";
import { i18n, named } from "./i18n";
import { may } from "./session";

const units_fresh_ms = 60_000;

/** Who acted: a person by the name, a process or the machine itself by what it is. */
export function actorName(actor: string): string {
  const { kind, name } = entityOf(actor);
  if (!kind || kind === "user") return name;
  const called = named("actor", kind);
  return called === kind ? actor : i18n.global.t("words.actorOf", { kind: called, name: named("actorName", name) });
}

/** "host:web-01" as a person says it; what the console does not know stays as it is. */
export function entityName(entity: string): string {
  const { kind, name } = entityOf(entity);
  const called = named("entity", kind);
  return kind && called !== kind ? `${called} ${name}` : entity;
}

/** The name of a unit by its code, the code where the person may not read the registry. */
export function useUnitNames(): (code: string) => string {
  const { data } = useQuery({
    queryKey: ["units"],
    queryFn: ({ signal }) => get<UnitPage>("units", signal),
    enabled: computed(() => may("registry.read")),
    staleTime: units_fresh_ms,
  });
  const names = computed(() => new Map((data.value?.rows ?? []).map((one) => [one.code, one.name])));
  return (code) => names.value.get(code) || code;
}
