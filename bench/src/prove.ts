import { crash } from "./prove/crash.ts"
const report = await crash({ database: process.argv[2] === "pglite" ? "pglite" : "postgresql", rounds: 1, only: process.argv[3] ?? "", lanes: Number(process.argv[4]), log: console.log })
console.log(report)
