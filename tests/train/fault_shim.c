// Preloaded into a program, it counts the system calls that write below a folder, and at one of them kills the process
// or has the call fail. EIGENGRAD_FAULT="AT:ERRNO:LOG:PATH": at the call number AT, counted from 1 (0: never), to fail
// with ERRNO (0: be killed before the call); LOG is a file to which every counted call adds its name; counted is what
// has PATH in its name.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int calls;
static int fail_at, fail_with;
static char log_file[4096], watched[4096];

__attribute__((constructor)) static void begin(void) {
  const char* setting = getenv("EIGENGRAD_FAULT");
  if (setting) sscanf(setting, "%d:%d:%4095[^:]:%4095s", &fail_at, &fail_with, log_file, watched);
}

static void note(const char* name) {
  int (*real_open)(const char*, int, ...) = dlsym(RTLD_NEXT, "open");
  ssize_t (*real_write)(int, const void*, size_t) = dlsym(RTLD_NEXT, "write");
  int (*real_close)(int) = dlsym(RTLD_NEXT, "close");
  const int fd = real_open(log_file, O_WRONLY | O_CREAT | O_APPEND, 0666);
  char line[64];
  const int length = snprintf(line, sizeof line, "%s\n", name);
  if (fd < 0 || real_write(fd, line, (size_t)length) != length) abort();
  real_close(fd);
}

// Whether the call is to fail; does not return when the process is to end.
static int fails(const char* name, const char* path) {
  if (!watched[0] || !path || !strstr(path, watched)) return 0;
  note(name);
  if (atomic_fetch_add(&calls, 1) + 1 != fail_at) return 0;
  if (fail_with == 0) {
    kill(getpid(), SIGKILL);
    pause();
  }
  errno = fail_with;
  return 1;
}

static const char* path_of(int fd, char* buffer, size_t size) {
  char link[64];
  snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
  const ssize_t length = readlink(link, buffer, size - 1);
  if (length < 0) return NULL;
  buffer[length] = 0;
  return buffer;
}

#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

#define OPEN(name)                                            \
  int name(const char* path, int flags, ...) {                \
    va_list rest;                                             \
    va_start(rest, flags);                                    \
    const mode_t mode = va_arg(rest, mode_t);                 \
    va_end(rest);                                             \
    const int writes = flags & (O_WRONLY | O_RDWR | O_CREAT); \
    if (writes && fails("open", path)) return -1;             \
    return REAL(name)(path, flags, mode);                     \
  }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void* data, size_t size) {
  char buffer[4096];
  return fails("write", path_of(fd, buffer, sizeof buffer)) ? -1 : REAL(write)(fd, data, size);
}
int fsync(int fd) {
  char buffer[4096];
  return fails("fsync", path_of(fd, buffer, sizeof buffer)) ? -1 : REAL(fsync)(fd);
}
int close(int fd) {
  char buffer[4096];
  const int open_for = fcntl(fd, F_GETFL);
  if (open_for >= 0 && (open_for & O_ACCMODE) != O_RDONLY && fails("close", path_of(fd, buffer, sizeof buffer))) {
    REAL(close)(fd);
    errno = fail_with;
    return -1;
  }
  return REAL(close)(fd);
}
int rename(const char* from, const char* to) { return fails("rename", to) ? -1 : REAL(rename)(from, to); }
int mkdir(const char* path, mode_t mode) { return fails("mkdir", path) ? -1 : REAL(mkdir)(path, mode); }
int link(const char* from, const char* to) { return fails("link", to) ? -1 : REAL(link)(from, to); }
int linkat(int a, const char* from, int b, const char* to, int flags) {
  return fails("link", to) ? -1 : REAL(linkat)(a, from, b, to, flags);
}
int unlink(const char* path) { return fails("unlink", path) ? -1 : REAL(unlink)(path); }
int unlinkat(int fd, const char* path, int flags) {
  char buffer[4096];
  return fails("unlink", path_of(fd, buffer, sizeof buffer)) ? -1 : REAL(unlinkat)(fd, path, flags);
}
int remove(const char* path) { return fails("unlink", path) ? -1 : REAL(remove)(path); }
