/** Limits of executions: those of one that names none, and the most that one may ask for; and what scripts leave for the instance. */
import { integer } from "./Setting.ts"

export const limitSettings = {
  FAIRLEAD_DEFAULT_TIMEOUT_SECONDS: integer(
    "FAIRLEAD_DEFAULT_TIMEOUT_SECONDS",
    [1, 86_400],
    300,
    "Timeout of an execution that names none."
  ),
  FAIRLEAD_MAX_TIMEOUT_SECONDS: integer(
    "FAIRLEAD_MAX_TIMEOUT_SECONDS",
    [1, 86_400],
    3_600,
    "Longest timeout that an execution may ask for."
  ),
  FAIRLEAD_DEFAULT_MEMORY_MB: integer(
    "FAIRLEAD_DEFAULT_MEMORY_MB",
    [4, 65_536],
    256,
    "Memory of an execution that names none, in MiB."
  ),
  FAIRLEAD_MAX_MEMORY_MB: integer(
    "FAIRLEAD_MAX_MEMORY_MB",
    [4, 65_536],
    4_096,
    "Most memory that an execution may ask for, in MiB."
  ),
  FAIRLEAD_DEFAULT_DISK_MB: integer(
    "FAIRLEAD_DEFAULT_DISK_MB",
    [1, 1_048_576],
    1_024,
    "Disk of an execution that names none, in MiB."
  ),
  FAIRLEAD_MAX_DISK_MB: integer(
    "FAIRLEAD_MAX_DISK_MB",
    [1, 1_048_576],
    10_240,
    "Most disk that an execution may ask for, in MiB."
  ),
  FAIRLEAD_DEFAULT_FILE_SIZE_MB: integer(
    "FAIRLEAD_DEFAULT_FILE_SIZE_MB",
    [1, 1_048_576],
    256,
    "Largest file of an execution that names none, in MiB."
  ),
  FAIRLEAD_MAX_FILE_SIZE_MB: integer(
    "FAIRLEAD_MAX_FILE_SIZE_MB",
    [1, 1_048_576],
    4_096,
    "Largest file that an execution may ask for, in MiB."
  ),
  FAIRLEAD_DEFAULT_OPEN_FILES: integer(
    "FAIRLEAD_DEFAULT_OPEN_FILES",
    [16, 65_536],
    256,
    "Open files of a process of an execution that names none."
  ),
  FAIRLEAD_MAX_OPEN_FILES: integer(
    "FAIRLEAD_MAX_OPEN_FILES",
    [16, 65_536],
    4_096,
    "Most open files of a process that an execution may ask for; never more than the instance may have itself."
  ),
  FAIRLEAD_DEFAULT_PROCESSES: integer(
    "FAIRLEAD_DEFAULT_PROCESSES",
    [1, 4_096],
    64,
    "Processes and threads of an execution that names none."
  ),
  FAIRLEAD_MAX_PROCESSES: integer(
    "FAIRLEAD_MAX_PROCESSES",
    [1, 4_096],
    512,
    "Most processes and threads that an execution may ask for."
  ),
  FAIRLEAD_OUTPUT_RATE_MB: integer(
    "FAIRLEAD_OUTPUT_RATE_MB",
    [1, 1_024],
    8,
    "MiB a second that an execution may write to its output once it has written 32 MiB faster than that; it waits while they are read, so that floods leave the cores to others."
  ),
  FAIRLEAD_DISK_RESERVE_MB: integer(
    "FAIRLEAD_DISK_RESERVE_MB",
    [0, 1_048_576],
    256,
    "Free space, in MiB, that scripts leave on the disk of `FAIRLEAD_DATA_DIR`, so that the instance can go on recording: below it no script is started, and those that grow are ended, the largest first. 0 keeps none."
  )
}
