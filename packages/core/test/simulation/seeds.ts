/** Seeds that once found a bug; they run with every test. Each with the commit's title that mended it. */
export const regressionSeeds: ReadonlyArray<number> = [
  1431, // fix(sagas): a cancelled saga is driven only by who holds its item
  125, // fix(sagas): a driver that is cut off from the store fails, so that its item is delivered again
  2200, // fix(sagas): a driver that loses its saga fails, so that its item is delivered again
  11465 // fix(executions): a start that was reported as failed is not repeated in another place
]
