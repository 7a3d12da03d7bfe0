#ifndef NOXMK_FRONT_MACHINE_H
#define NOXMK_FRONT_MACHINE_H

/* What `noxmk doctor` checks of the machine and its file systems. The caller frees the text. */

#include "front/doctor.h"

struct finding machine_files(void);     /* locks, rename, case, where the state folder is */
struct finding machine_cpus(void);
struct finding machine_proc(void);
struct finding machine_terminals(void);
struct finding machine_orphans(void);   /* what dead makes have left */

#endif
