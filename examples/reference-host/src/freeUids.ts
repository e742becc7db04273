/**
 * User ids for scripts that nobody on a machine uses as a rule: between those that systemd gives to greeters (to 60705) and those that it
 * gives to services (from 61184), and below 65536, so that containers have them too. Two ranges, so that both may run on one machine.
 */
export const freeUids = {
  embedded: { first: 60_706, count: 64 },
  host: { first: 60_770, count: 414 }
}
