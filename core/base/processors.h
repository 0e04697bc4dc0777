/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* How many processors the process may use. */
#pragma once

#include <glib.h>

G_BEGIN_DECLS

/* The processors of the affinity mask (sched_setaffinity(2)), but no more than
 * the quota of the control group leaves time for; at least 1. */
int ae_processors(void);

/* The threads to use where a user asks for @wanted, or for any number with 0:
 * no more than ae_processors(). With more, each would compute a smaller part of
 * an image, and the parts' halos again (plan/bands.h). */
int ae_threads(unsigned wanted);

/* The processor time, in processors, that the quotas of a control group and of
 * all groups above it allow; 0: there is no quota. @root: where the file
 * systems of control groups are mounted. @groups: the text of
 * /proc/PID/cgroup. Version 2 has its quota in cpu.max, version 1 in
 * cpu.cfs_quota_us and cpu.cfs_period_us (cgroups(7)). */
double ae_processor_quota(const char *root, const char *groups);

G_END_DECLS
