/**
 * User ids for scripts that nobody on a machine uses as a rule: between those that systemd gives to homes (to 60577) and those that it
 * gives to services (from 61184), and below 65536, so that containers have them too. Two ranges, so that both may run on one machine.
 */
export const freeUids = {
  embedded: { first: 60_578, count: 64 },
  host: { first: 60_672, count: 512 }
}
