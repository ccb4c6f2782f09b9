/* Stands between a program and the C library (LD_PRELOAD): counts the calls that change files below a folder,
   and at the k-th of them kills the process group, or fails as on a full disk. The counter is shared with
   processes that are forked later. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <unistd.h>

enum { COUNT, KILL_BEFORE, KILL_HALFWAY, KILL_AFTER, FULL_ONCE, FULL_HALFWAY, FULL_FROM };

struct state { long calls; char at[24]; };
static struct state *shared;
static char below[4096];
static long target;
static int what;
static int armed;

/* Once, before any fork. */
void faults_prepare(void) {
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}
void faults_reset(void) { memset(shared, 0, sizeof *shared); }
long faults_calls(void) { return shared->calls; }
const char *faults_at(void) { return shared->at; }
void faults_arm(const char *folder, long k, int action) {
    snprintf(below, sizeof below, "%s", folder);
    target = k; what = action; armed = 1;
}

static int path_counts(const char *path) { return armed && path && !strncmp(path, below, strlen(below)); }
static int fd_counts(int fd) {
    char link[64], path[4096];
    if (!armed || fd < 3) return 0;
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof path - 1);
    if (n <= 0) return 0;
    path[n] = 0;
    return path_counts(path);
}

enum verdict { GO, HALF, FULL, LAST };
/* What is to be done about a call; removing files works on a full disk. */
static enum verdict judge(const char *name, int removes) {
    long n = __sync_add_and_fetch(&shared->calls, 1);
    if (what == COUNT || n < target || (n > target && what != FULL_FROM && what != FULL_HALFWAY)) return GO;
    if (n == target) snprintf(shared->at, sizeof shared->at, "%s", name);
    switch (what) {
    case KILL_BEFORE: kill(0, SIGKILL); pause(); return GO;
    case KILL_HALFWAY: return HALF;
    case KILL_AFTER: return LAST;
    case FULL_HALFWAY: return n == target ? (removes ? GO : HALF) : n == target + 1 && !removes ? FULL : GO;
    default: return removes ? GO : FULL;
    }
}
static void die(void) { kill(0, SIGKILL); pause(); }

#define REAL(name) \
    static __typeof__(&name) real; \
    if (!real) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)

#define AROUND(counts, removes, call) \
    do { \
        if (!(counts)) return call; \
        enum verdict v = judge(__func__, removes); \
        if (v == FULL) { errno = ENOSPC; return -1; } \
        __typeof__(call) r = call; \
        if (v == LAST || (v == HALF && what == KILL_HALFWAY)) die(); \
        return r; \
    } while (0)

/* A write may be done in part: the first half, before the process dies or the disk is full. */
#define WRITES(counts, whole, half) \
    do { \
        if (!(counts)) return whole; \
        enum verdict v = judge(__func__, 0); \
        if (v == FULL) { errno = ENOSPC; return -1; } \
        ssize_t r = v == HALF ? half : whole; \
        if (v == LAST || (v == HALF && what == KILL_HALFWAY)) die(); \
        return r; \
    } while (0)
#define PART(n) ((n) > 1 ? (n) / 2 : (n))

ssize_t write(int fd, const void *b, size_t n) {
    REAL(write);
    WRITES(fd_counts(fd), real(fd, b, n), real(fd, b, PART(n)));
}
ssize_t pwrite(int fd, const void *b, size_t n, off_t o) {
    REAL(pwrite);
    WRITES(fd_counts(fd), real(fd, b, n, o), real(fd, b, PART(n), o));
}
ssize_t pwrite64(int fd, const void *b, size_t n, off64_t o) {
    REAL(pwrite64);
    WRITES(fd_counts(fd), real(fd, b, n, o), real(fd, b, PART(n), o));
}
ssize_t sendfile(int out, int in, off_t *o, size_t n) {
    REAL(sendfile);
    WRITES(fd_counts(out), real(out, in, o, n), real(out, in, o, PART(n)));
}
ssize_t sendfile64(int out, int in, off64_t *o, size_t n) {
    REAL(sendfile64);
    WRITES(fd_counts(out), real(out, in, o, n), real(out, in, o, PART(n)));
}
ssize_t copy_file_range(int in, off64_t *i, int out, off64_t *o, size_t n, unsigned f) {
    REAL(copy_file_range);
    WRITES(fd_counts(out), real(in, i, out, o, n, f), real(in, i, out, o, PART(n), f));
}
int fsync(int fd) { REAL(fsync); AROUND(fd_counts(fd), 0, real(fd)); }
int fdatasync(int fd) { REAL(fdatasync); AROUND(fd_counts(fd), 0, real(fd)); }
int ftruncate(int fd, off_t n) { REAL(ftruncate); AROUND(fd_counts(fd), 0, real(fd, n)); }
int ftruncate64(int fd, off64_t n) { REAL(ftruncate64); AROUND(fd_counts(fd), 0, real(fd, n)); }
int rename(const char *a, const char *b) { REAL(rename); AROUND(path_counts(b), 0, real(a, b)); }
int renameat(int d, const char *a, int e, const char *b) {
    REAL(renameat);
    AROUND(path_counts(b), 0, real(d, a, e, b));
}
int link(const char *a, const char *b) { REAL(link); AROUND(path_counts(b), 0, real(a, b)); }
int linkat(int d, const char *a, int e, const char *b, int f) {
    REAL(linkat);
    AROUND(path_counts(b), 0, real(d, a, e, b, f));
}
int unlink(const char *a) { REAL(unlink); AROUND(path_counts(a), 1, real(a)); }
int unlinkat(int d, const char *a, int f) { REAL(unlinkat); AROUND(path_counts(a), 1, real(d, a, f)); }
int mkdir(const char *a, mode_t m) { REAL(mkdir); AROUND(path_counts(a), 0, real(a, m)); }

#define MODE \
    mode_t m = 0; \
    if (f & O_CREAT) { va_list l; va_start(l, f); m = va_arg(l, mode_t); va_end(l); }
int open(const char *a, int f, ...) {
    MODE;
    REAL(open);
    AROUND((f & O_CREAT) && path_counts(a), 0, real(a, f, m));
}
int open64(const char *a, int f, ...) {
    MODE;
    REAL(open64);
    AROUND((f & O_CREAT) && path_counts(a), 0, real(a, f, m));
}
int openat(int d, const char *a, int f, ...) {
    MODE;
    REAL(openat);
    AROUND((f & O_CREAT) && path_counts(a), 0, real(d, a, f, m));
}
