/* Calls of the C library that fail when told to: preloaded into a process whose files under one folder are to suffer.
 *
 * Counted are only calls on that folder: opens, renames and statvfs by path, write, read and fsync by descriptor, and
 * every accept. fault_set(kind, nth, error, times) makes the nth call of a kind (from 1) and `times` in all fail. */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <sys/uio.h>
#include <unistd.h>

enum { OPEN, WRITE, FSYNC, RENAME, STATVFS, ACCEPT, READ, KINDS };

static char prefix[4096];
static long counts[KINDS], failed;
static int wanted = -1, error_number;
static long first, times;
static char ours[65536]; /* descriptors of files in the folder */

void fault_prefix(const char *path) { strncpy(prefix, path, sizeof prefix - 1); }
long fault_count(int kind) { return counts[kind]; }
long fault_failed(void) { return failed; }
void fault_set(int kind, long nth, int error, long many)
{
    memset(counts, 0, sizeof counts);
    failed = 0, wanted = kind, first = nth, error_number = error, times = many;
}

static int fails(int kind)
{
    long n = __atomic_add_fetch(&counts[kind], 1, __ATOMIC_SEQ_CST);
    if (kind != wanted || n < first || n - first >= times)
        return 0;
    failed++;
    errno = error_number;
    return 1;
}

static int inside(const char *path)
{
    return prefix[0] && path && strncmp(path, prefix, strlen(prefix)) == 0;
}

static int mine(int fd) { return fd >= 0 && fd < (int)sizeof ours && ours[fd]; }
static int keep(int fd, int is_ours)
{
    if (fd >= 0 && fd < (int)sizeof ours)
        ours[fd] = is_ours;
    return fd;
}

#define REAL(name) __typeof__(&name) real = (__typeof__(&name))dlsym(RTLD_NEXT, #name)
#define MODE mode_t mode = 0; if (flags & (O_CREAT | O_TMPFILE)) { va_list a; va_start(a, flags); mode = va_arg(a, mode_t); va_end(a); }

int open(const char *path, int flags, ...) { MODE REAL(open); int in = inside(path); if (in && fails(OPEN)) return -1; return keep(real(path, flags, mode), in); }
int open64(const char *path, int flags, ...) { MODE REAL(open64); int in = inside(path); if (in && fails(OPEN)) return -1; return keep(real(path, flags, mode), in); }
int openat(int at, const char *path, int flags, ...) { MODE REAL(openat); int in = inside(path); if (in && fails(OPEN)) return -1; return keep(real(at, path, flags, mode), in); }
int openat64(int at, const char *path, int flags, ...) { MODE REAL(openat64); int in = inside(path); if (in && fails(OPEN)) return -1; return keep(real(at, path, flags, mode), in); }
int close(int fd) { REAL(close); keep(fd, 0); return real(fd); }
ssize_t write(int fd, const void *p, size_t n) { REAL(write); if (mine(fd) && fails(WRITE)) return -1; return real(fd, p, n); }
ssize_t pwrite(int fd, const void *p, size_t n, off_t o) { REAL(pwrite); if (mine(fd) && fails(WRITE)) return -1; return real(fd, p, n, o); }
ssize_t writev(int fd, const struct iovec *v, int n) { REAL(writev); if (mine(fd) && fails(WRITE)) return -1; return real(fd, v, n); }
ssize_t read(int fd, void *p, size_t n) { REAL(read); if (mine(fd) && fails(READ)) return -1; return real(fd, p, n); }
int fsync(int fd) { REAL(fsync); if (mine(fd) && fails(FSYNC)) return -1; return real(fd); }
int rename(const char *a, const char *b) { REAL(rename); if (inside(b) && fails(RENAME)) return -1; return real(a, b); }
int renameat(int x, const char *a, int y, const char *b) { REAL(renameat); if (inside(b) && fails(RENAME)) return -1; return real(x, a, y, b); }
int statvfs(const char *path, struct statvfs *s) { REAL(statvfs); if (inside(path) && fails(STATVFS)) return -1; return real(path, s); }
int statvfs64(const char *path, struct statvfs64 *s) { REAL(statvfs64); if (inside(path) && fails(STATVFS)) return -1; return real(path, s); }
int accept(int fd, struct sockaddr *restrict a, socklen_t *restrict n) { REAL(accept); if (fails(ACCEPT)) return -1; return real(fd, a, n); }
int accept4(int fd, struct sockaddr *restrict a, socklen_t *restrict n, int f) { REAL(accept4); if (fails(ACCEPT)) return -1; return real(fd, a, n, f); }
