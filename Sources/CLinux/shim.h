// System calls of glibc and Linux that Swift's Glibc module does not show: those that need _GNU_SOURCE, take variable
// arguments, or have no wrapper.
#ifndef FETTLE_CLINUX_H
#define FETTLE_CLINUX_H

#include <malloc.h>
#include <signal.h>
#include <spawn.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

/// renameat2(2).
int renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path, unsigned int flags);

/// RENAME_EXCHANGE of linux/fs.h: both paths exist, and change places in one step.
enum { FETTLE_RENAME_EXCHANGE = 1 << 1 };

/// posix_spawn(3) closes every descriptor from `from` on in the child; glibc 2.34.
int posix_spawn_file_actions_addclosefrom_np(posix_spawn_file_actions_t *actions, int from);

/// The calling process is killed when the thread that made it ends: PR_SET_PDEATHSIG of prctl(2).
static inline int fettle_die_with_parent(void) { return prctl(PR_SET_PDEATHSIG, SIGKILL); }

/// The calling process reads and writes only when nobody else does: ioprio_set(2) with IOPRIO_CLASS_IDLE of
/// linux/ioprio.h, which glibc does not wrap.
static inline long fettle_idle_io(void) { return syscall(SYS_ioprio_set, 1 /* IOPRIO_WHO_PROCESS */, 0, 3 << 13); }

/// At most `bytes` of writable private memory: RLIMIT_DATA, which glibc gives Swift as an enumeration.
static inline int fettle_limit_memory(unsigned long bytes) {
    struct rlimit limit = {.rlim_cur = bytes, .rlim_max = bytes};
    return setrlimit(RLIMIT_DATA, &limit);
}

/// Gives the system back what was freed: malloc_trim(3), a no-op where libc has none.
static inline void fettle_trim_heap(void) {
#if defined(__GLIBC__)
    malloc_trim(0);
#endif
}

#endif
