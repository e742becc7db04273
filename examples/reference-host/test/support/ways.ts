/** The ways in which a host may run its scripts, as far as this test may choose. */
import type { HostOptions } from "./HostProcess.ts"

interface Way {
  readonly name: string
  readonly options: HostOptions
  /** Beginning of `isolation`. */
  readonly level: "namespace" | "basic"
}

export const isRoot = process.geteuid?.() === 0

/** Somebody without rights, as whom services are run. */
export const nobody = 65_534

export const ways: ReadonlyArray<Way> = isRoot
  ? [
      { name: "root with namespaces", options: {}, level: "namespace" },
      // Without this capability there are no namespaces.
      {
        name: "root without namespaces",
        options: { through: ["setpriv", "--bounding-set", "-sys_admin"] },
        level: "basic"
      },
      { name: "another user with namespaces", options: { uid: nobody }, level: "namespace" }
    ]
  : [{ name: "this user with namespaces", options: {}, level: "namespace" }]
