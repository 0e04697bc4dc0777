/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Pictures. libpng reports errors by longjmp: everything that must survive one
 * lives in a struct of the caller, and only decode() and encode() call
 * setjmp. */
#include "figure.h"

#include <png.h>
#include <string.h>

#include "error.h"
#include "file.h"

enum {
    GLYPH_WIDTH = 5,
    GLYPH_HEIGHT = 8,
    FIRST_GLYPH = ' ',
    LAST_GLYPH = '~',
    GAP = 4, /* between the cells of a figure, and around them */
    PAPER = 255,
    INK = 0,
    DEFLATE_RATIO = 1032, /* no stream of deflate expands more */
};

/* ASCII from space to tilde, eight rows of five pixels each, top first; a row
 * is one digit in base 32 (0-9, A-V), the leftmost pixel its highest bit. */
static const char font[] =
    "0000000044444040AAA00000AAVAVAA04FKE5U40OP248J30CIK8LID04440000024888420"
    "8422248004LEL400044V440000000C48000V000000000CC001248G00EHJLPHE04C4444E0"
    "EH168GV0V2421HE026AIV220VGU11HE068GUHHE0V1248880EHHEHHE0EHHF12C00CC0CC00"
    "00CC0C48248G842000V0V00084212480EH124040EH1DLLE0EHHVHHH0UHHUHHU0EHGGGHE0"
    "UHHHHHU0VGGUGGV0VGGUGGG0EHGNHHF0HHHVHHH0E44444E072222IC0HIKOKIH0GGGGGGV0"
    "HRLLHHH0HPPLJJH0EHHHHHE0UHHUGGG0EHHHLID0UHHUKIH0FGGE11U0V4444440HHHHHHE0"
    "HHHHHA40HHHLLLA0HHA4AHH0HHA44440V1248GV0E88888E00G842100E22222E04AH00000"
    "000000V08420000000E1FHF0GGUHHHU000EHGHE011FHHHF000EHVGE068S8888000FHHF1E"
    "GGUHHHH040C444E0020622ICGGIKOKI0C44444E000QLLLL000UHHHH000EHHHE000UHHUGG"
    "00FHHF1100MPGGG000FGE1U088S8896000HHHHF000HHHA4000HLLLA000HA4AH000HHHF1E"
    "00V248V0244844204444444084424480008L2000";

typedef struct {
    const uint8_t *data; /* what is left to read */
    size_t size;
    png_structp png;
    png_infop info;
    AeImage *image;
    png_bytep *rows;
    char *message; /* why libpng gave up */
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

static void ignore_warning(png_structp png, png_const_charp text)
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

/* A new image of that size, unless it is larger than memory, than what the
 * rest of the file can hold (@packed bytes a row), or than 2 GiB. */
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
    image->pixels = g_try_malloc0(total);
    if (image->pixels == NULL) {
        g_free(image);
        png_error(reader->png, "there is not enough memory for the image");
    }
    return image;
}

/* Whatever the file holds becomes 8-bit gray or RGB. */
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

/* Fills reader->image; FALSE with reader->message set. */
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

static void flush_nothing(png_structp png)
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

static AeImage *parse_png(GBytes *bytes, const char *path, GError **error)
{
    Reader reader = {0};
    gboolean good;

    reader.data = g_bytes_get_data(bytes, &reader.size);
    reader.png = png_create_read_struct(PNG_LIBPNG_VER_STRING, &reader.message,
                                        fail, ignore_warning);
    reader.info = png_create_info_struct(reader.png);
    good = decode(&reader);
    png_destroy_read_struct(&reader.png, &reader.info, NULL);
    g_free(reader.rows);
    if (!good) {
        g_set_error(error, AE_ERROR, AE_ERROR_FORMAT,
                    "%s cannot be read as a PNG image: %s", path,
                    reader.message);
        g_clear_pointer(&reader.image, ae_image_free);
    }
    g_free(reader.message);
    return reader.image;
}

static const char *glyph(char c)
{
    if (c < FIRST_GLYPH || c > LAST_GLYPH)
        c = '?';
    return font + (c - FIRST_GLYPH) * GLYPH_HEIGHT;
}

static int text_width(const char *text, int scale)
{
    return (int)strlen(text) * (GLYPH_WIDTH + 1) * scale;
}

/* Sets one pixel to @level, all channels. */
static void set_gray(AeImage *image, int x, int y, uint8_t level)
{
    size_t at = ((size_t)y * (size_t)image->width + (size_t)x) *
                (size_t)image->channels;

    memset(image->pixels + at, level, (size_t)image->channels);
}

static void draw_text(AeImage *image, int left, int top, const char *text,
                      int scale)
{
    for (; *text; text++, left += (GLYPH_WIDTH + 1) * scale)
        for (int y = 0; y < GLYPH_HEIGHT * scale; y++)
            for (int x = 0; x < GLYPH_WIDTH * scale; x++) {
                char digit = glyph(*text)[y / scale];
                int row = digit <= '9' ? digit - '0' : digit - 'A' + 10;
                if (row >> (GLYPH_WIDTH - 1 - x / scale) & 1)
                    set_gray(image, left + x, top + y, INK);
            }
}

static void draw_pixel(AeImage *image, int x, int y, const uint8_t *source,
                       int channels)
{
    if (channels == 1) {
        set_gray(image, x, y, *source);
        return;
    }
    memcpy(image->pixels + ((size_t)y * (size_t)image->width + (size_t)x) * 3,
           source, 3);
}

static void draw_image(AeImage *image, int left, int top, const AeImage *source,
                       int zoom)
{
    for (int y = 0; y < source->height * zoom; y++)
        for (int x = 0; x < source->width * zoom; x++) {
            size_t at =
                (size_t)(y / zoom) * (size_t)source->width + (size_t)(x / zoom);
            draw_pixel(image, left + x, top + y,
                       source->pixels + at * (size_t)source->channels,
                       source->channels);
        }
}

/* Size of a cell, scale and height of the captions, channels of a figure. */
typedef struct {
    int width, height, scale, caption, channels;
} Cells;

static Cells measure_images(AeImage *const *images, int n, int zoom)
{
    Cells cells = {.channels = 1};

    for (int i = 0; i < n; i++) {
        if (images[i] == NULL)
            continue;
        cells.width = MAX(cells.width, images[i]->width * zoom);
        cells.height = MAX(cells.height, images[i]->height * zoom);
        cells.channels = MAX(cells.channels, images[i]->channels);
    }
    return cells;
}

/* Captions are drawn twice as large where all fit so, else cells grow to hold
 * them. */
static void measure_captions(Cells *cells, const char *const *captions, int n)
{
    int widest = 0;

    for (int i = 0; i < n; i++)
        if (captions[i])
            widest = MAX(widest, text_width(captions[i], 1));
    cells->scale = 2 * widest <= cells->width ? 2 : 1;
    cells->width = MAX(cells->width, widest * cells->scale);
    cells->caption = GLYPH_HEIGHT * cells->scale + GAP;
}

AeImage *ae_image_new(int width, int height, int channels)
{
    AeImage *image = g_new0(AeImage, 1);

    image->width = width;
    image->height = height;
    image->channels = channels;
    image->pixels =
        g_malloc0((size_t)width * (size_t)height * (size_t)channels);
    return image;
}

void ae_image_free(AeImage *image)
{
    if (image == NULL)
        return;
    g_free(image->pixels);
    g_free(image);
}

AeImage *ae_image_load_png(const char *path, GError **error)
{
    g_autoptr(GBytes) bytes = ae_file_read(path, error);

    return bytes ? parse_png(bytes, path, error) : NULL;
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

AeImage *ae_figure_grid(AeImage *const *images, int rows, int columns,
                        const char *const *captions, int zoom)
{
    Cells cells = measure_images(images, rows * columns, zoom);

    if (captions)
        measure_captions(&cells, captions, columns);
    AeImage *figure = ae_image_new(
        columns * (cells.width + GAP) + GAP,
        rows * (cells.height + GAP) + GAP + cells.caption, cells.channels);
    memset(figure->pixels, PAPER,
           (size_t)figure->width * (size_t)figure->height *
               (size_t)figure->channels);
    for (int x = 0; x < columns; x++) {
        int left = GAP + x * (cells.width + GAP);
        if (captions && captions[x])
            draw_text(figure, left, GAP, captions[x], cells.scale);
        for (int y = 0; y < rows; y++)
            if (images[y * columns + x])
                draw_image(figure, left,
                           GAP + cells.caption + y * (cells.height + GAP),
                           images[y * columns + x], zoom);
    }
    return figure;
}
