/* Calls of the C library that change files below $ERRATA_CRASH_ROOT are counted once armed; at the k-th the process is
   killed, is sent a signal, or the disk is full (or fails) from then on. For research/evidence/crashes.py, by LD_PRELOAD. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

enum { COUNT = 1, KILL, TERM, FULL, BROKEN };
static volatile long mode, at, done, fault;
static char root[PATH_MAX], name[PATH_MAX + 64];

void crash_arm(long how, long k, long number, const char *below) {
    at = k; done = 0; fault = number;
    snprintf(root, sizeof root, "%s", below);
    mode = how;
}
long crash_done(void) { return done; }

/* Whether the call is one that counts; if so it is counted, and -1 says that it has to fail. */
static int counted(const char *what, const char *path, int needs_room) {
    if (!mode || strncmp(path, root, strlen(root))) return 0;
    long k = __sync_add_and_fetch(&done, 1);
    if (k == at || mode == COUNT) {
        const char *base = path + strlen(root);
        snprintf(name, sizeof name, "%s %s", what, base);
        if (getenv("ERRATA_CRASH_LOG") && mode == COUNT) { dprintf(2, "%ld %s\n", k, name); }
    }
    if (k == at && mode == KILL) kill(getpid(), SIGKILL);
    if (k == at && mode == TERM) kill(getpid(), SIGTERM);
    if (k >= at && ((mode == FULL && needs_room) || mode == BROKEN)) { errno = fault; return -1; }
    return 0;
}
static const char *full_path(int folder, const char *path, char *into) {
    if (path[0] == '/') return path;
    char link[64], base[PATH_MAX];
    snprintf(link, sizeof link, folder == AT_FDCWD ? "/proc/self/cwd" : "/proc/self/fd/%d", folder);
    ssize_t n = readlink(link, base, sizeof base - 1);
    if (n < 0) return path;
    base[n] = 0;
    snprintf(into, PATH_MAX, "%s/%.1000s", base, path);
    return into;
}
static const char *path_of(int file, char *into) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", file);
    ssize_t n = readlink(link, into, PATH_MAX - 1);
    into[n < 0 ? 0 : n] = 0;
    return into;
}
#define REAL(name) static __typeof__(&name) real; if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define FAILS(what, path, room) (mode && counted(what, path, room) < 0)

#define OPEN(fn, HEAD, CALL, PATH) \
    HEAD { REAL(fn); mode_t m = 0; char b[PATH_MAX]; \
        if (flags & (O_CREAT | O_TMPFILE)) { va_list v; va_start(v, flags); m = va_arg(v, mode_t); va_end(v); } \
        if (mode && (flags & (O_CREAT | O_WRONLY | O_RDWR | O_TRUNC)) && FAILS("open", PATH, flags & O_CREAT)) return -1; \
        return CALL; }
OPEN(open, int open(const char *p, int flags, ...), real(p, flags, m), full_path(AT_FDCWD, p, b))
OPEN(open64, int open64(const char *p, int flags, ...), real(p, flags, m), full_path(AT_FDCWD, p, b))
OPEN(openat, int openat(int d, const char *p, int flags, ...), real(d, p, flags, m), full_path(d, p, b))
OPEN(openat64, int openat64(int d, const char *p, int flags, ...), real(d, p, flags, m), full_path(d, p, b))

#define ON_FILE(fn, HEAD, CALL, room) HEAD { REAL(fn); char b[PATH_MAX]; \
    if (FAILS(#fn, mode ? path_of(f, b) : "", room)) return -1; return CALL; }
ON_FILE(write, ssize_t write(int f, const void *d, size_t n), real(f, d, n), 1)
ON_FILE(pwrite64, ssize_t pwrite64(int f, const void *d, size_t n, off64_t o), real(f, d, n, o), 1)
ON_FILE(writev, ssize_t writev(int f, const struct iovec *d, int n), real(f, d, n), 1)
ON_FILE(ftruncate64, int ftruncate64(int f, off64_t n), real(f, n), 1)
ON_FILE(fsync, int fsync(int f), real(f), 1)

#define ON_PATH(fn, HEAD, CALL, d, p, room) HEAD { REAL(fn); char b[PATH_MAX]; \
    if (FAILS(#fn, mode ? full_path(d, p, b) : "", room)) return -1; return CALL; }
ON_PATH(rename, int rename(const char *p, const char *q), real(p, q), AT_FDCWD, q, 0)
ON_PATH(renameat, int renameat(int d, const char *p, int e, const char *q), real(d, p, e, q), e, q, 0)
ON_PATH(unlink, int unlink(const char *p), real(p), AT_FDCWD, p, 0)
ON_PATH(unlinkat, int unlinkat(int d, const char *p, int f), real(d, p, f), d, p, 0)
ON_PATH(rmdir, int rmdir(const char *p), real(p), AT_FDCWD, p, 0)
ON_PATH(mkdir, int mkdir(const char *p, mode_t m), real(p, m), AT_FDCWD, p, 1)
ON_PATH(mkdirat, int mkdirat(int d, const char *p, mode_t m), real(d, p, m), d, p, 1)
