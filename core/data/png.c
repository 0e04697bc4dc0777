/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* PNG files. libpng reports errors by longjmp(). Everything that must survive
 * an error lives in a struct of the caller; only decode() and encode() call
 * setjmp(). */
#include "data/png.h"

#include <png.h>
#include <string.h>

#include "base/error.h"
#include "base/file.h"
#include "base/memory.h"

#define DEFLATE_RATIO 1032 /* no stream of deflate expands more */

typedef struct {
    const uint8_t *data; /* the bytes that are left to read */
    size_t size;
    png_structp png;
    png_infop info;
    AeImage *image;
    png_bytep *rows;
    char *message;      /* libpng's error */
    gboolean no_memory; /* is the error */
} Reader;

typedef struct {
    GByteArray *bytes;
    png_structp png;
    png_infop info;
    char *message;
} Writer;

G_NORETURN static void fail(png_structp png, png_const_charp text)
{
    char **message = png_get_error_ptr(png);

    *message = g_strdup(text);
    png_longjmp(png, 1);
}

static void ignore_warning(png_structp png G_GNUC_UNUSED,
                           png_const_charp text G_GNUC_UNUSED)
{
}

static void read_bytes(png_structp png, png_bytep target, size_t size)
{
    Reader *reader = png_get_io_ptr(png);

    if (size > reader->size)
        png_error(png, "the file ends early");
    memcpy(target, reader->data, size);
    reader->data += size;
    reader->size -= size;
}

/* A new image. Fails by png_error() if it is larger than memory, than 2 GiB, or
 * than the rest of the file can hold at @packed bytes a row. */
static AeImage *new_image(Reader *reader, png_uint_32 width, png_uint_32 height,
                          png_uint_32 channels, size_t packed)
{
    guint64 total = (guint64)width * height * channels;

    if (total > G_MAXINT32)
        png_error(reader->png, "the image has more than 2 GiB");
    if ((guint64)packed * height / DEFLATE_RATIO > reader->size)
        png_error(reader->png, "the file is too short for the image");

    AeImage *image = g_new0(AeImage, 1);
    image->width = (int)width;
    image->height = (int)height;
    image->channels = (int)channels;
    image->pixels = ae_alloc(total, 1, NULL);
    if (image->pixels == NULL) {
        g_free(image);
        reader->no_memory = TRUE;
        png_error(reader->png, "there is not enough memory for the image");
    }
    return image;
}

/* Lets libpng turn every kind of image into 8-bit gray or RGB. */
static void normalise(png_structp png)
{
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_strip_alpha(png);
}

static void read_image(Reader *reader)
{
    png_structp png = reader->png;
    png_uint_32 height;

    png_read_info(png, reader->info);
    size_t packed = png_get_rowbytes(png, reader->info);
    normalise(png);
    png_set_interlace_handling(png);
    png_read_update_info(png, reader->info);

    height = png_get_image_height(png, reader->info);
    reader->image =
        new_image(reader, png_get_image_width(png, reader->info), height,
                  png_get_channels(png, reader->info), packed);
    size_t stride = (size_t)reader->image->width * reader->image->channels;
    reader->rows = g_new(png_bytep, height);
    for (png_uint_32 y = 0; y < height; y++)
        reader->rows[y] = reader->image->pixels + y * stride;
    png_read_image(png, reader->rows);
    png_read_end(png, NULL);
}

/* Reads the image into reader->image; FALSE with reader->message set. */
static gboolean decode(Reader *reader)
{
    if (setjmp(png_jmpbuf(reader->png)))
        return FALSE;
    png_set_read_fn(reader->png, reader, read_bytes);
    read_image(reader);
    return TRUE;
}

static void append_bytes(png_structp png, png_bytep data, size_t size)
{
    g_byte_array_append(png_get_io_ptr(png), data, (guint)size);
}

static void flush_nothing(png_structp png G_GNUC_UNUSED)
{
}

static gboolean encode(Writer *writer, const AeImage *image)
{
    size_t stride = (size_t)image->width * (size_t)image->channels;

    if (setjmp(png_jmpbuf(writer->png)))
        return FALSE;
    png_set_write_fn(writer->png, writer->bytes, append_bytes, flush_nothing);
    png_set_IHDR(writer->png, writer->info, (png_uint_32)image->width,
                 (png_uint_32)image->height, 8,
                 image->channels == 1 ? PNG_COLOR_TYPE_GRAY
                                      : PNG_COLOR_TYPE_RGB,
                 PNG_INTERLACE_NONE, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_write_info(writer->png, writer->info);
    for (int y = 0; y < image->height; y++)
        png_write_row(writer->png, image->pixels + (size_t)y * stride);
    png_write_end(writer->png, NULL);
    return TRUE;
}

AeImage *ae_image_parse_png(const void *data, size_t size, const char *name,
                            GError **error)
{
    Reader reader = {.data = data, .size = size};
    gboolean good;

    reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader.message,
                                        fail, ignore_warning);
    reader.info = png_create_info_struct(reader.png);
    good = decode(&reader);
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    g_free(reader.rows);
    if (!good) {
        g_set_error(error, AE_ERROR,
                    reader.no_memory ? AE_ERROR_MEMORY : AE_ERROR_FORMAT,
                    "%s cannot be read as a PNG image: %s", name,
                    reader.message);
        g_clear_pointer(&reader.image, ae_image_free);
    }
    g_free(reader.message);
    return reader.image;
}

AeImage *ae_image_new(int width, int height, int channels, GError **error)
{
    uint8_t *pixels =
        ae_alloc((size_t)width * (size_t)height, (size_t)channels, error);

    if (pixels == NULL)
        return NULL;

    AeImage *image = g_new0(AeImage, 1);
    *image = (AeImage){width, height, channels, pixels};
    return image;
}

void ae_image_free(AeImage *image)
{
    if (image == NULL)
        return;
    ae_free(image->pixels);
    g_free(image);
}

AeImage *ae_image_load_png(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = ae_file_read(path, error);

    if (bytes == NULL)
        return NULL;
    return ae_image_parse_png(g_bytes_get_data(bytes, NULL),
                              g_bytes_get_size(bytes), path, error);
}

gboolean ae_image_save_png(const AeImage *image, const char *path,
                           GError **error)
{
    Writer writer = {.bytes = g_byte_array_new()};
    gboolean good;

    writer.png = png_create_write_struct(PNG_LIBPNG_VER_STRING, &writer.message,
                                         fail, ignore_warning);
    writer.info = png_create_info_struct(writer.png);
    good = encode(&writer, image);
    png_destroy_write_struct(&writer.png, &writer.info);
    if (good)
        good =
            ae_file_write(path, writer.bytes->data, writer.bytes->len, error);
    else
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "%s cannot be written as a PNG image: %s", path,
                    writer.message);
    g_free(writer.message);
    g_byte_array_unref(writer.bytes);
    return good;
}
