// Preloaded into a program, it counts the system calls that write below a folder, and at one of them kills the process,
// has the call fail, or cuts the power. EIGENGRAD_FAULT="AT:WHAT:LOG:PATH": at the call number AT, counted from 1 (0:
// never), before it is made, WHAT happens:
//
//   above 0     it fails with this errno
//   kill        the process is killed
//   power       the same, and what was written since the last fsync() of a file or folder is lost
//   data        only data are lost so: files end where they ended when they were synced
//   names       only names are lost: of files and folders that were made, renamed or removed
//   some        some of the names are lost, the last ones
//
// LOG is a file to which every counted call adds its name and path; counted is what has PATH in its path. What was
// removed or replaced is kept in PATH.lost meanwhile, to come back.
#define _GNU_SOURCE
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { kPath = 4096 };
#define REAL(name) ((__typeof__(&name))dlsym(RTLD_NEXT, #name))

static atomic_int calls;
static int fail_at, fail_with;
static char what[16], log_file[kPath], watched[kPath], lost_folder[kPath + 8];

__attribute__((constructor)) static void begin(void) {
  const char* setting = getenv("EIGENGRAD_FAULT");
  if (!setting || sscanf(setting, "%d:%15[^:]:%4095[^:]:%4095s", &fail_at, what, log_file, watched) != 4) return;
  fail_with = atoi(what);
  snprintf(lost_folder, sizeof lost_folder, "%s.lost", watched);
}

static int is(const char* kind) { return strcmp(what, kind) == 0; }
static int loses_data(void) { return is("power") || is("data"); }
static int loses_names(void) { return is("power") || is("names") || is("some"); }

static void or_abort(int good) {
  if (!good) abort();
}

// ---- What is not on disk yet.

// A file that was written to since it was synced: a descriptor of our own, and its size then.
struct Data {
  dev_t device;
  ino_t inode;
  int fd;
  off_t size;
};
// A change of names in a folder since that was synced. `kept` has what was replaced or removed.
struct Name {
  enum { kMade, kMadeFolder, kRenamed, kRemoved, kRemovedFolder } kind;
  char folder[kPath], path[kPath], from[kPath], kept[kPath + 32];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct Data data[1024];
static struct Name* names;
static size_t data_count, name_count;

static void parent_of(const char* path, char* folder) {
  snprintf(folder, kPath, "%s", path);
  char* slash = strrchr(folder, '/');
  if (slash) *slash = 0;
}

// A second name for a file, so that it is there when its own is gone.
static void keep(const char* path, char* kept) {
  static int number = 0;
  struct stat status;
  kept[0] = 0;
  if (lstat(path, &status) != 0 || !S_ISREG(status.st_mode)) return;
  REAL(mkdir)(lost_folder, 0777);
  snprintf(kept, kPath + 32, "%s/%d", lost_folder, ++number);
  or_abort(REAL(link)(path, kept) == 0);
}

// Notes a change before it is made.
static void will_change(int kind, const char* path, const char* from) {
  if (!loses_names() || !strstr(path, watched)) return;
  pthread_mutex_lock(&mutex);
  names = realloc(names, (name_count + 1) * sizeof *names);
  or_abort(names != NULL);
  struct Name* name = &names[name_count++];
  name->kind = kind;
  parent_of(path, name->folder);
  snprintf(name->path, kPath, "%s", path);
  snprintf(name->from, kPath, "%s", from ? from : "");
  name->kept[0] = 0;
  if (kind == kRenamed || kind == kRemoved) keep(path, name->kept);
  pthread_mutex_unlock(&mutex);
}

static void will_write(int fd, const char* path) {
  struct stat status;
  if (!loses_data() || !path || !strstr(path, watched) || fstat(fd, &status) != 0) return;
  pthread_mutex_lock(&mutex);
  size_t i = 0;
  while (i < data_count && (data[i].device != status.st_dev || data[i].inode != status.st_ino)) ++i;
  if (i == data_count) {
    char link[64];
    snprintf(link, sizeof link, "/proc/self/fd/%d", fd);
    or_abort(data_count < sizeof data / sizeof *data);
    data[data_count++] = (struct Data){status.st_dev, status.st_ino, REAL(open)(link, O_RDWR | O_CLOEXEC), status.st_size};
  }
  pthread_mutex_unlock(&mutex);
}

static void has_synced(int fd, const char* path) {
  struct stat status;
  if (!path || fstat(fd, &status) != 0) return;
  pthread_mutex_lock(&mutex);
  size_t left = 0;
  for (size_t i = 0; i < name_count; ++i)
    if (strcmp(names[i].folder, path) != 0) names[left++] = names[i];
  name_count = left;
  for (size_t i = 0; i < data_count; ++i)
    if (data[i].device == status.st_dev && data[i].inode == status.st_ino) {
      REAL(close)(data[i].fd);
      data[i--] = data[--data_count];
    }
  pthread_mutex_unlock(&mutex);
}

static void remove_all(const char* path) {
  char command[kPath + 32];
  snprintf(command, sizeof command, "rm -rf -- '%s'", path);
  unsetenv("LD_PRELOAD");
  or_abort(system(command) == 0);
}

static void undo(const struct Name* name) {
  switch (name->kind) {
    case kMade: REAL(unlink)(name->path); break;
    case kMadeFolder: remove_all(name->path); break;  // what is in it has no name without it
    case kRenamed: REAL(rename)(name->path, name->from); break;
    case kRemovedFolder: REAL(mkdir)(name->path, 0777); break;
    case kRemoved: break;
  }
  // Where the folder itself is gone for good, so is what was in it.
  if (name->kept[0]) or_abort(REAL(link)(name->kept, name->path) == 0 || errno == ENOENT);
}

static void lose(void) {
  pthread_mutex_lock(&mutex);
  for (size_t i = 0; i < data_count; ++i) or_abort(ftruncate(data[i].fd, data[i].size) == 0);
  const size_t stay = is("some") && name_count > 0 ? (size_t)fail_at * 7919 % name_count : 0;
  while (name_count > stay) undo(&names[--name_count]);
}

// ---- The calls.

static void note(const char* name, const char* path) {
  const int fd = REAL(open)(log_file, O_WRONLY | O_CREAT | O_APPEND, 0666);
  char line[kPath + 64];
  const int length = snprintf(line, sizeof line, "%s %s\n", name, path);
  or_abort(fd >= 0 && REAL(write)(fd, line, (size_t)length) == length);
  REAL(close)(fd);
}

// Whether the call is to fail; does not return when the process is to end.
static int fails(const char* name, const char* path) {
  if (!watched[0] || !path || !strstr(path, watched)) return 0;
  note(name, path);
  if (atomic_fetch_add(&calls, 1) + 1 != fail_at) return 0;
  if (fail_with == 0) {
    lose();
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

// The path of a name in a folder that is open.
static const char* path_at(int fd, const char* path, char* buffer) {
  if (path[0] == '/' || fd == AT_FDCWD) return path;
  if (!path_of(fd, buffer, kPath)) return NULL;
  const size_t length = strlen(buffer);
  snprintf(buffer + length, kPath - length, "/%s", path);
  return buffer;
}

#define OPEN(name)                                                                       \
  int name(const char* path, int flags, ...) {                                           \
    va_list rest;                                                                        \
    va_start(rest, flags);                                                               \
    const mode_t mode = va_arg(rest, mode_t);                                            \
    va_end(rest);                                                                        \
    const int writes = flags & (O_WRONLY | O_RDWR | O_CREAT);                            \
    if (writes && fails("open", path)) return -1;                                        \
    if ((flags & O_CREAT) && access(path, F_OK) != 0) will_change(kMade, path, NULL);    \
    return REAL(name)(path, flags, mode);                                                \
  }
OPEN(open)
OPEN(open64)

ssize_t write(int fd, const void* bytes, size_t size) {
  char buffer[kPath];
  const char* path = path_of(fd, buffer, sizeof buffer);
  if (fails("write", path)) return -1;
  will_write(fd, path);
  return REAL(write)(fd, bytes, size);
}
int fsync(int fd) {
  char buffer[kPath];
  const char* path = path_of(fd, buffer, sizeof buffer);
  if (fails("fsync", path)) return -1;
  const int result = REAL(fsync)(fd);
  if (result == 0) has_synced(fd, path);
  return result;
}
int close(int fd) {
  char buffer[kPath];
  const int open_for = fcntl(fd, F_GETFL);
  if (open_for >= 0 && (open_for & O_ACCMODE) != O_RDONLY && fails("close", path_of(fd, buffer, sizeof buffer))) {
    REAL(close)(fd);
    errno = fail_with;
    return -1;
  }
  return REAL(close)(fd);
}
int rename(const char* from, const char* to) {
  if (fails("rename", to)) return -1;
  will_change(kRenamed, to, from);
  return REAL(rename)(from, to);
}
int mkdir(const char* path, mode_t mode) {
  if (fails("mkdir", path)) return -1;
  if (access(path, F_OK) != 0) will_change(kMadeFolder, path, NULL);
  return REAL(mkdir)(path, mode);
}
int link(const char* from, const char* to) {
  if (fails("link", to)) return -1;
  if (access(to, F_OK) != 0) will_change(kMade, to, NULL);
  return REAL(link)(from, to);
}
int linkat(int a, const char* from, int b, const char* to, int flags) {
  char buffer[kPath];
  const char* path = path_at(b, to, buffer);
  if (fails("link", path)) return -1;
  if (path && access(path, F_OK) != 0) will_change(kMade, path, NULL);
  return REAL(linkat)(a, from, b, to, flags);
}
static void will_remove(const char* path) {
  struct stat status;
  if (path && lstat(path, &status) == 0)
    will_change(S_ISDIR(status.st_mode) ? kRemovedFolder : kRemoved, path, NULL);
}
int unlink(const char* path) {
  if (fails("unlink", path)) return -1;
  will_remove(path);
  return REAL(unlink)(path);
}
int unlinkat(int fd, const char* name, int flags) {
  char buffer[kPath];
  const char* path = path_at(fd, name, buffer);
  if (fails("unlink", path)) return -1;
  will_remove(path);
  return REAL(unlinkat)(fd, name, flags);
}
int remove(const char* path) {
  if (fails("unlink", path)) return -1;
  will_remove(path);
  return REAL(remove)(path);
}
