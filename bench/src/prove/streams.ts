/** I5: a client that reads the stream of an execution, loses it and asks again with `Last-Event-ID` gets every frame once. */
import type { Fleet } from "./Fleet.ts"

interface Frame {
  readonly id: string
  readonly text: string
}

/** Reads the whole stream, then what is behind its middle. */
export const judgeStream = async (fleet: Fleet, executionId: string): Promise<ReadonlyArray<string>> => {
  const whole = await frames(fleet, executionId)
  const middle = Math.floor(whole.length / 2)
  const at = whole[middle - 1]?.id
  if (at === undefined) return [`I5 ${executionId} has a stream of ${whole.length} frames`]
  const rest = await frames(fleet, executionId, at)
  const [read, stored] = [[...whole.slice(0, middle), ...rest], whole].map((list) => list.map(contentOf).join(""))
  return read === stored
    ? []
    : [`I5 ${executionId} resumed behind ${at} is another story:\n${read}\ninstead of\n${stored}`]
}

/** Output may be cut into pieces in another way the second time. */
const contentOf = ({ text }: Frame) =>
  /"data":"([^"]*)"/.exec(text)?.[1] ?? /"event_id":"([^"]*)"/.exec(text)?.[1] ?? ""

const frames = async (fleet: Fleet, executionId: string, lastEventId?: string): Promise<ReadonlyArray<Frame>> => {
  const text = await fleet.read(
    `/events/executions/${executionId}`,
    lastEventId === undefined ? {} : { "last-event-id": lastEventId }
  )
  return text.split("\n\n").flatMap((frame) => {
    const id = /^id: (.*)$/m.exec(frame)?.[1]
    return id === undefined ? [] : [{ id, text: frame }]
  })
}
