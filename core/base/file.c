/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Reads whole files, and replaces whole files: writes a temporary file, syncs
 * it to disk, renames it, and syncs the directory. */
#include "base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <math.h>
#include <stdint.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/error.h"
#include "base/memory.h"

#define MAX_SIZE G_MAXINT32
#define RANDOM_PART ".XXXXXX" /* of a temporary file's name, and */
#define PART ".part"          /* its end */

static gboolean fail(GError **error, const char *path, const char *what)
{
    int code = errno;

    g_set_error(error, AE_ERROR, AE_ERROR_FILE, "%s: cannot %s: %s", path, what,
                g_strerror(code));
    return FALSE;
}

/* The size of an open file; -1 with an error if it is no regular file. */
static gint64 size_of(int fd, const char *path, GError **error)
{
    struct stat info;

    if (fstat(fd, &info) != 0) {
        fail(error, path, "read the file");
        return -1;
    }
    if (!S_ISREG(info.st_mode)) {
        g_set_error(error, AE_ERROR, AE_ERROR_FILE, "%s: is not a regular file",
                    path);
        return -1;
    }
    return info.st_size;
}

/* Reads up to @size bytes: fewer if the file has become shorter; -1 on error.
 */
static gssize read_all(int fd, char *data, gsize size)
{
    gsize done = 0;

    while (done < size) {
        gssize n = read(fd, data + done, size - done);

        if (n == 0)
            break;
        if (n > 0)
            done += n;
        else if (errno != EINTR)
            return -1;
    }
    return done;
}

/* Reads the rest of an open file, at most @size bytes. */
static GBytes *read_rest(int fd, const char *path, gsize size, GError **error)
{
    ae_autofree char *data = ae_alloc(size, 1, error);
    gssize n;

    if (data == NULL) {
        g_prefix_error(error, "%s: ", path);
        return NULL;
    }
    n = read_all(fd, data, size);
    if (n < 0) {
        fail(error, path, "read the file");
        return NULL;
    }
    return ae_bytes(g_steal_pointer(&data), (gsize)n);
}

static GBytes *read_whole(int fd, const char *path, GError **error)
{
    gint64 size = size_of(fd, path, error);

    if (size > MAX_SIZE)
        g_set_error(error, AE_ERROR, AE_ERROR_FILE,
                    "%s: has %" G_GINT64_FORMAT
                    " bytes, but files may have at most %d",
                    path, size, MAX_SIZE);
    return size >= 0 && size <= MAX_SIZE
               ? read_rest(fd, path, (gsize)size, error)
               : NULL;
}

static GBytes *read_part(int fd, const char *path, guint64 offset, gsize size,
                         GError **error)
{
    gint64 have = size_of(fd, path, error);
    g_autoptr(GBytes) bytes = NULL;

    if (have < 0)
        return NULL;
    if (size <= (guint64)have && offset <= (guint64)have - size &&
        lseek(fd, (off_t)offset, SEEK_SET) >= 0)
        bytes = read_rest(fd, path, size, error);
    else
        g_set_error(error, AE_ERROR, AE_ERROR_FILE,
                    "%s: has %" G_GINT64_FORMAT " bytes, but %" G_GSIZE_FORMAT
                    " from byte %" G_GUINT64_FORMAT " on were expected",
                    path, have, size, offset);
    if (bytes == NULL || g_bytes_get_size(bytes) == size)
        return g_steal_pointer(&bytes);
    g_set_error(error, AE_ERROR, AE_ERROR_FILE,
                "%s: became shorter while it was read", path);
    return NULL;
}

static gboolean write_all(int fd, const char *data, gsize size)
{
    while (size > 0) {
        gssize n = write(fd, data, size);

        if (n < 0 && errno != EINTR)
            return FALSE;
        if (n > 0) {
            data += n;
            size -= n;
        }
    }
    return TRUE;
}

/* Finds the mode of the regular file @path, which must be writable; -1 if there
 * is none yet. */
static gboolean old_mode(const char *path, int *mode, GError **error)
{
    struct stat info;

    *mode = -1;
    if (stat(path, &info) != 0)
        return TRUE;
    if (!S_ISREG(info.st_mode)) {
        g_set_error(error, AE_ERROR, AE_ERROR_FILE,
                    "%s: is there and not a regular file, and is not replaced",
                    path);
        return FALSE;
    }
    *mode = info.st_mode & 0777;
    if ((*mode & 0222) == 0 || access(path, W_OK) != 0) {
        g_set_error(error, AE_ERROR, AE_ERROR_FILE,
                    "%s: is write-protected (its mode is %04o), and is not "
                    "replaced",
                    path, (unsigned)*mode);
        return FALSE;
    }
    return TRUE;
}

/* Writes the temporary file. */
static gboolean fill(int fd, int mode, const char *data, gsize size)
{
    return (mode < 0 || fchmod(fd, mode) == 0) && write_all(fd, data, size) &&
           fsync(fd) == 0;
}

/* A rename survives a power loss once its directory is synced. Some file
 * systems cannot sync a directory; their error is ignored. */
static gboolean sync_directory(const char *path)
{
    g_autofree char *directory = g_path_get_dirname(path);
    int fd = open(directory, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    gboolean ok;
    int code;

    if (fd < 0)
        return errno == EACCES;
    ok = fsync(fd) == 0 || errno == EINVAL || errno == ENOTSUP;
    code = errno;
    close(fd);
    errno = code;
    return ok;
}

static int open_to_read(const char *path, GError **error)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);

    if (fd < 0)
        fail(error, path, "open the file");
    return fd;
}

GBytes *ae_file_read(const char *path, GError **error)
{
    int fd = open_to_read(path, error);
    GBytes *bytes = fd >= 0 ? read_whole(fd, path, error) : NULL;

    if (fd >= 0)
        close(fd);
    return bytes;
}

GBytes *ae_file_read_part(const char *path, guint64 offset, gsize size,
                          GError **error)
{
    int fd = open_to_read(path, error);
    GBytes *bytes = fd >= 0 ? read_part(fd, path, offset, size, error) : NULL;

    if (fd >= 0)
        close(fd);
    return bytes;
}

/* Locks the temporary file while it is written, so that take_away_strays() of
 * another writer leaves it. FALSE if that one was faster and took it away. */
static gboolean lock_temporary(int fd)
{
    struct stat info;

    return flock(fd, LOCK_EX) != 0 || fstat(fd, &info) != 0 ||
           info.st_nlink > 0;
}

/* Opens a new file beside @path and sets *name, which the caller frees; -1 with
 * an error. */
static int open_temporary(const char *path, char **temporary, int *mode,
                          GError **error)
{
    int fd;

    *temporary = NULL;
    if (!old_mode(path, mode, error))
        return -1;
    for (;;) {
        g_free(*temporary);
        *temporary = g_strconcat(path, RANDOM_PART PART, NULL);
        fd = g_mkstemp_full(*temporary, O_WRONLY | O_CLOEXEC, 0666);
        if (fd < 0)
            fail(error, path, "create a temporary file beside it");
        if (fd < 0 || lock_temporary(fd))
            return fd;
        close(fd);
    }
}

/* Whether @name is that of a temporary file of a file @base. */
static gboolean is_temporary(const char *name, const char *base)
{
    size_t length = strlen(base);

    return g_str_has_prefix(name, base) && g_str_has_suffix(name, PART) &&
           strlen(name) == length + strlen(RANDOM_PART PART) &&
           name[length] == '.';
}

/* Removes the temporary files of @path that no living process writes: its
 * writer was killed. */
static void take_away_strays(const char *path)
{
    g_autofree char *folder = g_path_get_dirname(path);
    g_autofree char *base = g_path_get_basename(path);
    g_autoptr(GDir) names = g_dir_open(folder, 0, NULL);
    const char *name;

    while (names != NULL && (name = g_dir_read_name(names)) != NULL) {
        g_autofree char *stray = g_build_filename(folder, name, NULL);
        int fd = is_temporary(name, base)
                     ? open(stray, O_RDONLY | O_CLOEXEC | O_NOFOLLOW)
                     : -1;

        if (fd < 0)
            continue;
        if (flock(fd, LOCK_EX | LOCK_NB) == 0)
            g_unlink(stray);
        close(fd);
    }
}

gboolean ae_file_can_write(const char *path, GError **error)
{
    g_autofree char *temporary = NULL;
    int mode, fd = open_temporary(path, &temporary, &mode, error);

    if (fd < 0)
        return FALSE;
    close(fd);
    g_unlink(temporary);
    take_away_strays(path);
    return TRUE;
}

static gboolean is_same_inode(const char *a, const char *b)
{
    struct stat x, y;

    return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev &&
           x.st_ino == y.st_ino;
}

gboolean ae_file_is_same(const char *a, const char *b)
{
    g_autofree char *folder_a = g_path_get_dirname(a);
    g_autofree char *folder_b = g_path_get_dirname(b);
    g_autofree char *name_a = g_path_get_basename(a);
    g_autofree char *name_b = g_path_get_basename(b);

    return is_same_inode(a, b) ||
           (g_str_equal(name_a, name_b) && is_same_inode(folder_a, folder_b));
}

gboolean ae_file_write(const char *path, const void *data, gsize size,
                       GError **error)
{
    g_autofree char *temporary = NULL;
    int mode, fd = open_temporary(path, &temporary, &mode, error), code;

    if (fd < 0)
        return FALSE;
    gboolean written =
        fill(fd, mode, data, size) && g_rename(temporary, path) == 0;

    code = errno;
    close(fd); /* its lock is needed until it has its name */
    if (!written) {
        g_unlink(temporary);
        errno = code;
        return fail(error, path, "write the file");
    }
    if (!sync_directory(path))
        return fail(error, path, "make the new name permanent");
    return TRUE;
}

void ae_floats_from_bytes(float *target, const void *source, gsize n)
{
    const char *bytes = source;

    for (gsize i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, bytes + 4 * i, 4);
        bits = GUINT32_FROM_LE(bits);
        memcpy(target + i, &bits, 4);
    }
}

void ae_floats_to_bytes(void *target, const float *source, gsize n)
{
    char *bytes = target;

    for (gsize i = 0; i < n; i++) {
        uint32_t bits;

        memcpy(&bits, source + i, 4);
        bits = GUINT32_TO_LE(bits);
        memcpy(bytes + 4 * i, &bits, 4);
    }
}

/* 1 sign, 5 exponent (bias 15) and 10 fraction bits. */
float ae_float_from_half(guint16 bits)
{
    float sign = (bits & 0x8000) ? -1.0f : 1.0f;
    int exponent = bits >> 10 & 31;
    int fraction = bits & 1023;

    if (exponent == 31)
        return fraction ? NAN : sign * INFINITY;
    if (exponent == 0)
        return sign * ldexpf(fraction, -24);
    return sign * ldexpf(fraction + 1024, exponent - 25);
}

float ae_float_from_bfloat(guint16 bits)
{
    guint32 high = (guint32)bits << 16;
    float value;

    memcpy(&value, &high, sizeof value);
    return value;
}
