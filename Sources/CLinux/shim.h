// System calls of glibc that Swift's Glibc module does not show, since it is built without _GNU_SOURCE.
#ifndef FETTLE_CLINUX_H
#define FETTLE_CLINUX_H

/// renameat2(2).
int renameat2(int old_directory, const char *old_path, int new_directory, const char *new_path, unsigned int flags);

/// RENAME_EXCHANGE of linux/fs.h: both paths exist, and change places in one step.
enum { FETTLE_RENAME_EXCHANGE = 1 << 1 };

#endif
