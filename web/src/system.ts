/** Which graded system the pages of compliance speak of: the address says it, '' is the first one. */
import { computed } from "vue";
import { useRoute, useRouter } from "vue-router";

/** The system of the address and the way to choose another. */
export function useSystem() {
  const route = useRoute();
  const router = useRouter();
  const system = computed(() => (typeof route.query.system === "string" ? route.query.system : ""));

  function choose(id: string): void {
    const { system: _, ...rest } = route.query;
    void router.replace({ name: route.name ?? "overview", params: route.params, query: id ? { ...rest, system: id } : rest });
  }

  return { system, choose };
}
