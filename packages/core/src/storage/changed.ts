/** Copies of models that need not be checked again. */

/**
 * The model with `change` in it, without running the schema's constructor: the model has been checked when it was made, and the type
 * checks the change. Members that the change names as `undefined` are left as `undefined`, so name none that is optional.
 */
export const changed = <Model extends object>(model: Model, change: Partial<Model>): Model =>
  Object.assign(Object.create(Object.getPrototypeOf(model)), model, change)

/** The model without some of its optional members, likewise. */
export const without = <Model extends object>(model: Model, members: ReadonlyArray<keyof Model>): Model => {
  const copy: Model = Object.assign(Object.create(Object.getPrototypeOf(model)), model)
  for (const member of members) delete copy[member]
  return copy
}
