/** The parts of an OpenAPI document that `OpenApiSpec` reads and changes. Everything else passes through. */

export interface JsonSchema {
  readonly [key: string]: unknown
  readonly $ref?: string
  readonly type?: string | ReadonlyArray<string>
  readonly format?: string
  readonly enum?: ReadonlyArray<unknown>
  readonly default?: unknown
  readonly examples?: ReadonlyArray<unknown>
  readonly anyOf?: ReadonlyArray<JsonSchema>
  readonly oneOf?: ReadonlyArray<JsonSchema>
  readonly allOf?: ReadonlyArray<JsonSchema>
  readonly properties?: Readonly<Record<string, JsonSchema>>
  readonly required?: ReadonlyArray<string>
  readonly additionalProperties?: boolean | JsonSchema
  readonly items?: JsonSchema | false
  readonly patternProperties?: Readonly<Record<string, JsonSchema>>
  readonly prefixItems?: ReadonlyArray<JsonSchema>
  readonly minimum?: number
  readonly minLength?: number
  readonly contentSchema?: JsonSchema
}

export interface MediaType {
  schema: JsonSchema
  example?: unknown
  "x-effect-stream"?: unknown
}

export interface Answer {
  /** To an answer among the components; then it is all there is. */
  readonly $ref?: string
  description?: string
  headers?: Record<string, object>
  content?: Record<string, MediaType>
}

export interface Parameter {
  readonly in: string
  readonly name: string
  readonly required?: boolean
  description?: string
  schema: JsonSchema
}

export interface Operation {
  operationId: string
  summary?: string
  description?: string
  deprecated?: boolean
  "x-permission"?: string
  security: ReadonlyArray<Readonly<Record<string, ReadonlyArray<string>>>>
  readonly parameters: Array<Parameter>
  readonly requestBody?: { required?: boolean; readonly content: Record<string, MediaType> }
  responses: Record<string, Answer>
}

export type Paths = Record<string, Record<string, Operation>>
export type Schemas = Record<string, JsonSchema>
