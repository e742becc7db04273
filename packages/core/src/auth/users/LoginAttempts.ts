/**
 * How failed logins lock a name. Pure. An attempt counts as failed from its start until it proves right, so that rivals on
 * other instances cannot try more passwords at the same time than one after the other.
 */

export interface LockPolicy {
  /** Attempts until the name is locked; 1 or more. */
  readonly failures: number
  /** Length of the window in which they are counted, and of the lock. */
  readonly windowMillis: number
}

export interface LoginAttempts {
  /** Attempts in this window; above the policy's number once one was refused. */
  readonly count: number
  /** End of the window, or of the lock; exclusive. Milliseconds since 1970. */
  readonly endsAt: number
}

/** Counts one more attempt. A refused one does not prolong the lock. */
export const charge = (known: LoginAttempts | undefined, now: number, policy: LockPolicy): LoginAttempts => {
  const fresh = now + policy.windowMillis
  if (known === undefined || known.endsAt <= now) return { count: 1, endsAt: fresh }
  const count = Math.min(known.count + 1, policy.failures + 1)
  return { count, endsAt: known.count + 1 === policy.failures ? fresh : known.endsAt }
}

/** Whether the attempt that was charged last must be refused unseen. */
export const isLocked = (charged: LoginAttempts, policy: LockPolicy): boolean => charged.count > policy.failures
