/**
 * The proof of every claim, at every level and as every user that this test can be: a claim holds where it is made, and nowhere else.
 * What a job may leave is looked for by the next job of the same host, under the same user id if jobs have one.
 */
import { assert, describe, it } from "@effect/vitest"
import { Effect } from "effect"
import { type Claim, claims, situations } from "../src/internal/claims.ts"
import { type Ending, reachable, runAs, type Subject, subjectOf } from "./situations.ts"

/** Scripts that run one after the other, and what their ends must be for the claim to hold. */
interface Proof {
  readonly scripts: (subject: Subject) => ReadonlyArray<ReadonlyArray<string>>
  readonly holds: (endings: ReadonlyArray<Ending>) => boolean
}

const preamble = [
  "import ctypes, glob, os, platform, signal, socket, stat, subprocess, sys, time",
  "mark = os.environ['MARK']; number = int(mark[-6:], 36) & 0x7fffffff",
  "libc = ctypes.CDLL(None, use_errno=True)",
  "def can(action):",
  "  try: action(); return True",
  "  except OSError: return False",
  "def write(path):",
  "  with open(path, 'w') as file: file.write(mark)"
]

/** A script that leaves something, and one that looks for it: it prints what it finds, and takes that away. */
const leavesNothing = (
  leave: (subject: Subject) => ReadonlyArray<string>,
  look: (subject: Subject) => ReadonlyArray<string>
): Proof => ({
  scripts: (subject) => [
    [...preamble, ...leave(subject), "print('left')"],
    [...preamble, ...look(subject), "print('looked')"]
  ],
  holds: (endings) => {
    const [left, looked] = endings
    assert.strictEqual(left?.stdout, "left\n", left?.stderr)
    assert.include(looked?.stdout, "looked\n", looked?.stderr)
    return looked?.stdout === "looked\n"
  }
})

/** One script that prints whether the claim holds. */
const saysTrue = (script: (subject: Subject) => ReadonlyArray<string>): Proof => ({
  scripts: (subject) => [[...preamble, ...script(subject)]],
  holds: ([ending]) => {
    assert.include(["True\n", "False\n"], ending?.stdout, ending?.stderr)
    return ending?.stdout === "True\n"
  }
})

const objects = [
  "kinds = (('shm', lambda flags: libc.shmget(number, 4096, flags), lambda id: libc.shmctl(id, 0, None)),",
  "  ('sem', lambda flags: libc.semget(number, 1, flags), lambda id: libc.semctl(id, 0, 0)),",
  "  ('msg', lambda flags: libc.msgget(number, flags), lambda id: libc.msgctl(id, 0, None)))",
  "queue = b'/fairlead-' + mark.encode()"
]

const keyrings = [
  "add_key, keyctl = (248, 250) if platform.machine() == 'x86_64' else (217, 219)",
  "rings = [-3, -4, -5]",
  "rings.append(libc.syscall(keyctl, 22, -1, -2, 0, 0))",
  "name = b'fairlead-' + mark.encode()"
]

const directories = ({ open }: Subject) => `directories = ['/tmp', '/var/tmp', '/dev/shm', '/run/lock', '${open}']`

const proofs: Record<keyof typeof claims, Proof> = {
  privileges: saysTrue(() => [
    "status = dict(line.split(':\\t') for line in open('/proc/self/status').read().splitlines() if ':\\t' in line)",
    "print(status['NoNewPrivs'] == '1' and all(int(status[name], 16) == 0 for name in ('CapEff', 'CapPrm')))"
  ]),
  processes: leavesNothing(
    () => [
      "if os.fork() == 0:",
      "  os.setsid()",
      "  if os.fork() == 0:",
      "    signal.signal(signal.SIGTERM, signal.SIG_IGN); signal.signal(signal.SIGHUP, signal.SIG_IGN)",
      "    listener = socket.socket(socket.AF_UNIX); listener.bind('\\0fairlead-' + mark); listener.listen()",
      "    os.close(1); os.close(2)",
      "    os.execvp('sleep', ['sleep', '61', '60.' + str(number)])",
      "  os._exit(0)",
      "os.wait()"
    ],
    () => [
      "if can(lambda: socket.socket(socket.AF_UNIX).connect('\\0fairlead-' + mark)): print('socket')",
      "for path in glob.glob('/proc/[0-9]*/cmdline'):",
      "  can(lambda: '60.' + str(number) in open(path).read() and print(path))"
    ]
  ),
  shim: {
    scripts: () => [[...preamble, "can(lambda: os.kill(os.getppid(), signal.SIGKILL))", "print('alive')"]],
    holds: ([ending]) => ending?.end._tag === "Exited" && ending.stdout === "alive\n"
  },
  view: saysTrue(() => ["print(len(glob.glob('/proc/[0-9]*')) <= 2)"]),
  data: leavesNothing(
    () => ["write('left')"],
    ({ directory }) => [
      `for path in ('${directory}/jobs/contract-1/tmp/work/left', '${directory}/jobs/contract-1/stdout', '${directory}/node'):`,
      "  can(lambda: open(path) and print(path))",
      `can(lambda: os.listdir('${directory}/jobs') and print('jobs'))`
    ]
  ),
  machine: saysTrue(({ open }) => [`print(not can(lambda: write('${open}/written')))`]),
  files: leavesNothing(
    (subject) => [
      directories(subject),
      "for place in directories:",
      "  name = place + '/fairlead-' + mark",
      "  can(lambda: write(name))",
      "  can(lambda: socket.socket(socket.AF_UNIX).bind(name + '-socket'))",
      "  can(lambda: os.symlink('/etc/passwd', name + '-link'))",
      "  can(lambda: (os.makedirs(name + '-folder/deep'), write(name + '-folder/deep/file')))",
      "  can(lambda: os.chmod(name + '-folder', 0))"
    ],
    (subject) => [
      directories(subject),
      "for path in [path for place in directories for path in glob.glob(place + '/fairlead-' + mark + '*')]:",
      "  print(path)",
      "  subprocess.run(['chmod', '-fR', 'u+rwx', '--', path]); subprocess.run(['rm', '-rf', '--', path])"
    ]
  ),
  ipc: leavesNothing(
    () => [
      ...objects,
      "for _, get, _ in kinds: get(0o1600)",
      "libc.mq_open(queue, os.O_CREAT | os.O_RDWR, 0o600, None)"
    ],
    () => [
      ...objects,
      "for kind, get, remove in kinds:",
      "  id = get(0)",
      "  if id >= 0: print(kind); remove(id)",
      "if libc.mq_open(queue, os.O_RDONLY) >= 0: print('mq'); libc.mq_unlink(queue)"
    ]
  ),
  keys: leavesNothing(
    () => [...keyrings, "for ring in rings: libc.syscall(add_key, b'user', name, b'secret', 6, ring)"],
    () => [
      ...keyrings,
      "for ring in rings:",
      "  key = libc.syscall(keyctl, 10, ring, b'user', name, 0)",
      "  if key > 0: print(ring); libc.syscall(keyctl, 9, key, ring)"
    ]
  ),
  memory: {
    scripts: () => [
      [
        ...preamble,
        "name = '/dev/shm/fairlead-' + mark",
        "try:",
        "  with open(name, 'wb') as file:",
        "    for _ in range(160): file.write(bytes(1 << 20))",
        "except OSError: pass",
        "time.sleep(5)",
        "os.unlink(name)"
      ]
    ],
    holds: ([ending]) => ending?.end._tag === "LimitExceeded" && ending.end.limit === "memory"
  }
}

it("every claim has a proof", () => assert.sameMembers(Object.keys(proofs), Object.keys(claims)))

for (const situation of reachable)
  describe(`claims: ${situations[situation]}`, () => {
    for (const [name, proof] of Object.entries(proofs)) {
      const { holds, says }: Claim = claims[name as keyof typeof claims]
      const isClaimed = holds.includes(situation)
      it.live(
        `a job ${says}: ${isClaimed ? "yes" : "no"}`,
        () =>
          Effect.scoped(
            Effect.gen(function* () {
              const subject = yield* subjectOf(situation)
              const endings = yield* runAs(situation, "python", subject, proof.scripts(subject))
              assert.strictEqual(proof.holds(endings), isClaimed, JSON.stringify(endings, null, 2))
            })
          ),
        60_000
      )
    }
  })
