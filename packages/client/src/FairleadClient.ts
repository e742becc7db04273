/** The whole API as one object. Programs that use little of it take `connect` and the functions they need. */
import { type Connection, connect } from "./Connection.ts"
import type { FairleadOptions } from "./FairleadOptions.ts"
import { type ExecutionFrame, type FollowOptions, followExecution } from "./followExecution.ts"
import type { Client } from "./generated/client/index.ts"
import type { ExecutionResult } from "./generated/types.gen.ts"
import { AuthCalls } from "./internal/areas/AuthCalls.ts"
import { ExecutionsCalls } from "./internal/areas/ExecutionsCalls.ts"
import { HealthCalls } from "./internal/areas/HealthCalls.ts"
import { InstancesCalls } from "./internal/areas/InstancesCalls.ts"
import { QueueCalls } from "./internal/areas/QueueCalls.ts"
import { SagasCalls } from "./internal/areas/SagasCalls.ts"
import { type RunOptions, runScript } from "./runScript.ts"

export class FairleadClient {
  readonly connection: Connection
  readonly auth: AuthCalls
  readonly executions: ExecutionsCalls
  readonly queue: QueueCalls
  readonly instances: InstancesCalls
  readonly sagas: SagasCalls
  readonly health: HealthCalls

  constructor(options: FairleadOptions = {}) {
    this.connection = connect(options)
    this.auth = new AuthCalls(this.connection)
    this.executions = new ExecutionsCalls(this.connection)
    this.queue = new QueueCalls(this.connection)
    this.instances = new InstancesCalls(this.connection)
    this.sagas = new SagasCalls(this.connection)
    this.health = new HealthCalls(this.connection)
  }

  /** For the functions of `@fairlead/client/operations`. */
  get http(): Client {
    return this.connection.http
  }

  /** See `runScript`. */
  run(options: RunOptions): Promise<ExecutionResult> {
    return runScript(this.connection, options)
  }

  /** See `followExecution`. */
  followExecution(executionId: string, options?: FollowOptions): AsyncGenerator<ExecutionFrame, void, undefined> {
    return followExecution(this.connection, executionId, options)
  }
}
