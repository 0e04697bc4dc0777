/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Noise models: reading their text, and applying them to images.
 *
 * The random numbers of an image are the Philox stream (seed, image), drawn in
 * this order: a uniform number for each of the first three parameters, and one
 * that chooses among models; in the next block, one for each further parameter
 * that is a range; from the next block on, the numbers of the samples in their
 * order. Two numbers say where JPEG's blocks begin: before those of the samples
 * in model jpeg, after them in model camera. */
#include "video/noise.h"

#include <math.h>

#include "base/error.h"
#include "base/memory.h"
#include "base/random.h"
#include "video/noise-jpeg.h"

enum { MAX_PARAMETERS = 5 };
enum { FIRST = 3 }; /* parameters for which a number is always drawn */
enum { CHUNK = 1024 };
enum { LARGEST_SPREAD = 4, SOFTEST = 2 };
enum { LARGEST_KERNEL = 6 * LARGEST_SPREAD * SOFTEST + 1 };

typedef struct {
    float low, high; /* equal unless a range was given */
} Parameter;

typedef struct {
    const char *key;
    float value;       /* default */
    float least, most; /* most 0: no limit */
} ParameterRule;

/* Adds noise to @n samples, CHUNK at most, each by itself; does not clip. */
typedef void (*Apply)(AeRandom *random, float *target, const float *source,
                      int n, const float *values);

/* Adds noise to a whole plane, whose samples depend on each other. */
typedef gboolean (*ApplyPlane)(AeRandom *random, float *target, float *source,
                               const AeNoisePlane *plane, const float *values,
                               GError **error);

typedef struct {
    const char *name;
    ParameterRule rules[MAX_PARAMETERS]; /* key NULL: no more */
    Apply apply;
    ApplyPlane apply_plane; /* or this one */
} Kind;

typedef struct {
    const Kind *kind;
    Parameter parameters[MAX_PARAMETERS];
    gboolean clip;
} Model;

struct AeNoise {
    int n_models;
    Model models[]; /* an image draws one */
};

/* Draws @n uniform numbers and drops the rest of the last block of them. */
static void draw_uniform(AeRandom *random, float *uniform, int n)
{
    for (int i = 0; i < n; i++)
        uniform[i] = ae_random_uniform(random);
    random->left = 0;
}

static void apply_none(AeRandom *random G_GNUC_UNUSED, float *target,
                       const float *source, int n,
                       const float *values G_GNUC_UNUSED)
{
    for (int i = 0; i < n; i++)
        target[i] = source[i];
}

static void apply_gaussian(AeRandom *random, float *target, const float *source,
                           int n, const float *values)
{
    float normal[CHUNK];

    ae_random_normals(random, normal, n);
    for (int i = 0; i < n; i++)
        target[i] = source[i] + values[0] + values[1] * normal[i];
}

static void apply_uniform(AeRandom *random, float *target, const float *source,
                          int n, const float *values)
{
    for (int i = 0; i < n; i++) {
        float u = ae_random_uniform(random) - 0.5f;
        target[i] = source[i] + values[0] + values[1] * u;
    }
}

static void apply_poisson_gaussian(AeRandom *random, float *target,
                                   const float *source, int n,
                                   const float *values)
{
    float normal[CHUNK];

    ae_random_normals(random, normal, n);
    for (int i = 0; i < n; i++) {
        float x = source[i] > 0 ? source[i] : 0;
        float sd = sqrtf(values[0] * x + values[1] * values[1]);
        target[i] = source[i] + sd * normal[i];
    }
}

/* Makes the weights of a Gaussian, with kernel[radius] in the middle, and
 * returns the radius. Their squares add up to 1, so that blurred normal numbers
 * keep their variance. */
static int make_kernel(float *kernel, float spread)
{
    int radius = (int)ceilf(3 * spread);
    float squares = 0;

    for (int i = -radius; i <= radius; i++) {
        float x = spread > 0 ? (float)i / spread : 0;
        kernel[radius + i] = expf(-x * x / 2);
        squares += kernel[radius + i] * kernel[radius + i];
    }
    for (int i = 0; i <= 2 * radius; i++)
        kernel[i] /= sqrtf(squares);
    return radius;
}

/* Draws a @width x @height field of normal numbers and blurs it. @wide: scratch
 * for a field that is 2 radius larger along both sides. */
static void draw_field(AeRandom *random, float *field, float *wide,
                       int64_t width, int64_t height, const float *kernel,
                       int radius)
{
    int64_t stride = width + 2 * radius;

    ae_random_normals(random, wide, stride * (height + 2 * radius));
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < stride; x++) {
            float sum = 0;
            for (int k = 0; k <= 2 * radius; k++)
                sum += kernel[k] * wide[(y + k) * stride + x];
            wide[y * stride + x] = sum; /* no later row needs row y */
        }
    for (int64_t y = 0; y < height; y++)
        for (int64_t x = 0; x < width; x++) {
            field[y * width + x] = 0;
            for (int k = 0; k <= 2 * radius; k++)
                field[y * width + x] += kernel[k] * wide[y * stride + x + k];
        }
}

/* Blurs @n samples that lie @step apart. Beyond its ends the line repeats its
 * first and its last sample. */
static void blur_line(float *line, int64_t n, int64_t step, const float *kernel,
                      int radius, float *copy)
{
    for (int64_t i = 0; i < n; i++)
        copy[i] = line[i * step];
    for (int64_t i = 0; i < n; i++) {
        float sum = 0;
        for (int k = -radius; k <= radius; k++)
            sum += kernel[radius + k] * copy[CLAMP(i + k, 0, n - 1)];
        line[i * step] = sum;
    }
}

static gboolean blur(float *samples, const AeNoisePlane *plane, float spread,
                     GError **error)
{
    float kernel[LARGEST_KERNEL], total = 0;
    int radius = make_kernel(kernel, spread);
    int64_t row = plane->width * plane->channels;
    ae_autofree float *copy =
        ae_alloc((size_t)MAX(plane->width, plane->height), sizeof *copy, error);

    if (copy == NULL)
        return FALSE;
    for (int k = 0; k <= 2 * radius; k++)
        total += kernel[k];
    for (int k = 0; k <= 2 * radius; k++)
        kernel[k] /= total;
    for (int64_t c = 0; c < plane->channels; c++) {
        for (int64_t y = 0; y < plane->height; y++)
            blur_line(samples + y * row + c, plane->width, plane->channels,
                      kernel, radius, copy);
        for (int64_t x = c; x < row; x += plane->channels)
            blur_line(samples + x, plane->height, row, kernel, radius, copy);
    }
    return TRUE;
}

static gboolean apply_camera(AeRandom *random, float *target, float *source,
                             const AeNoisePlane *plane, const float *values,
                             GError **error)
{
    float kernel[LARGEST_KERNEL];
    int radius = make_kernel(kernel, values[2]);
    int64_t n = plane->width * plane->height;
    int64_t n_wide = (plane->width + 2 * radius) * (plane->height + 2 * radius);
    ae_autofree float *field =
        ae_alloc((size_t)(n + n_wide), sizeof *field, error);
    float *wide = field + n;

    if (field == NULL)
        return FALSE;
    if (values[3] > 0 && !blur(source, plane, values[3] * values[2], error))
        return FALSE;
    for (int64_t c = 0; c < plane->channels; c++) {
        draw_field(random, field, wide, plane->width, plane->height, kernel,
                   radius);
        for (int64_t i = 0; i < n; i++) {
            float in = source[i * plane->channels + c], x = in > 0 ? in : 0;
            float sd = sqrtf(values[0] * x + values[1] * values[1]);
            target[i * plane->channels + c] = in + sd * field[i];
        }
    }
    if (values[4] > 0) {
        float before[2];

        draw_uniform(random, before, 2);
        ae_noise_jpeg(target, plane->width, plane->height, plane->channels,
                      values[4], before);
    }
    return TRUE;
}

static gboolean apply_jpeg(AeRandom *random, float *target, float *source,
                           const AeNoisePlane *plane, const float *values,
                           GError **error G_GNUC_UNUSED)
{
    int64_t n = plane->width * plane->height * plane->channels;
    float before[2];
    const float gaussian[] = {0, values[1]};

    draw_uniform(random, before, 2);
    for (int64_t i = 0; i < n; i += CHUNK)
        apply_gaussian(random, target + i, source + i, (int)MIN(CHUNK, n - i),
                       gaussian);
    ae_noise_jpeg(target, plane->width, plane->height, plane->channels,
                  values[0], before);
    return TRUE;
}

static void apply_salt_pepper(AeRandom *random, float *target,
                              const float *source, int n, const float *values)
{
    for (int i = 0; i < n; i++) {
        float u = ae_random_uniform(random);
        float grain = u < values[0] / 2 ? 0 : 1;
        target[i] = u < values[0] ? grain : source[i];
    }
}

/* clang-format off */
static const Kind kinds[] = {
    {.name = "none", .apply = apply_none},
    {.name = "gaussian", .apply = apply_gaussian,
     .rules = {{.key = "mean", .least = -INFINITY},
               {.key = "sd", .value = 0.1f}}},
    {.name = "uniform", .apply = apply_uniform,
     .rules = {{.key = "mean", .least = -INFINITY},
               {.key = "width", .value = 0.1f}}},
    {.name = "poisson-gaussian", .apply = apply_poisson_gaussian,
     .rules = {{.key = "gain", .value = 0.01f}, {.key = "sd", .value = 0.01f}}},
    {.name = "camera", .apply_plane = apply_camera,
     .rules = {{.key = "gain", .value = 0.01f}, {.key = "sd", .value = 0.01f},
               {.key = "spread", .value = 1, .most = LARGEST_SPREAD},
               {.key = "soft", .most = SOFTEST},
               {.key = "quality", .most = 100}}},
    {.name = "jpeg", .apply_plane = apply_jpeg,
     .rules = {{.key = "quality", .value = 50, .least = 1, .most = 100},
               {.key = "sd"}}},
    {.name = "salt-pepper", .apply = apply_salt_pepper,
     .rules = {{.key = "p", .value = 0.05f}}},
};
/* clang-format on */

static const Kind *find_kind(const char *name, GError **error)
{
    g_autoptr(GString) known = g_string_new(NULL);

    for (size_t i = 0; i < G_N_ELEMENTS(kinds); i++) {
        if (g_str_equal(kinds[i].name, name))
            return &kinds[i];
        g_string_append_printf(known, "%s%s", i ? ", " : "", kinds[i].name);
    }
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "There is no noise model \"%s\"; known are %s.", name,
                known->str);
    return NULL;
}

static gboolean parse_number(const char *text, float *number)
{
    char *end;

    *number = (float)g_ascii_strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*number);
}

/* Reads "A" or "A..B". */
static gboolean parse_range(const char *text, Parameter *range)
{
    const char *dots = strstr(text, "..");

    if (dots == NULL) {
        gboolean good = parse_number(text, &range->low);
        range->high = range->low;
        return good;
    }
    g_autofree char *low = g_strndup(text, (gsize)(dots - text));
    return parse_number(low, &range->low) &&
           parse_number(dots + 2, &range->high) && range->low <= range->high;
}

static gboolean in_limits(const ParameterRule *rule, const Parameter *range)
{
    return range->low >= rule->least &&
           (rule->most == 0 || range->high <= rule->most);
}

/* The keys of a kind, such as "mean, sd, clip". Free with g_free(). */
static char *list_keys(const ParameterRule *rules)
{
    GString *keys = g_string_new(NULL);

    for (int i = 0; i < MAX_PARAMETERS && rules[i].key; i++)
        g_string_append_printf(keys, "%s, ", rules[i].key);
    g_string_append(keys, "clip");
    return g_string_free(keys, FALSE);
}

/* The limits of a parameter: " of 0 or more", " from 0 to 4" or nothing. Free
 * with g_free(). */
static char *describe_limits(const ParameterRule *rule)
{
    if (rule->most > 0)
        return g_strdup_printf(" from %g to %g", (double)rule->least,
                               (double)rule->most);
    return g_strdup(rule->least == 0 ? " of 0 or more" : "");
}

static gboolean parse_parameter(Model *model, const char *key,
                                const char *value, GError **error)
{
    const ParameterRule *rules = model->kind->rules;
    g_autofree char *keys = list_keys(rules);

    for (int i = 0; i < MAX_PARAMETERS && rules[i].key; i++) {
        g_autofree char *limits = describe_limits(&rules[i]);

        if (!g_str_equal(rules[i].key, key))
            continue;
        if (parse_range(value, &model->parameters[i]) &&
            in_limits(&rules[i], &model->parameters[i]))
            return TRUE;
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "Noise model %s: %s must be a number%s or a range A..B "
                    "of two, but is \"%s\"",
                    model->kind->name, key, limits, value);
        return FALSE;
    }
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "Noise model %s has no key \"%s\"; it knows %s",
                model->kind->name, key, keys);
    return FALSE;
}

static gboolean parse_pair(Model *model, const char *text, GError **error)
{
    g_auto(GStrv) pair = g_strsplit(text, "=", 2);

    if (pair[0] == NULL || pair[1] == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "Noise model %s: expected KEY=VALUE, but found \"%s\"",
                    model->kind->name, text);
        return FALSE;
    }
    g_strstrip(pair[0]);
    g_strstrip(pair[1]);
    if (!g_str_equal(pair[0], "clip"))
        return parse_parameter(model, pair[0], pair[1], error);

    model->clip = g_str_equal(pair[1], "true");
    if (model->clip || g_str_equal(pair[1], "false"))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "Noise model %s: clip must be true or false, but is \"%s\"",
                model->kind->name, pair[1]);
    return FALSE;
}

static void clip(float *target, int n)
{
    for (int i = 0; i < n; i++) {
        float x = target[i] > 0 ? target[i] : 0;
        target[i] = x < 1 ? x : 1;
    }
}

static gboolean parse_model(Model *model, const char *text, GError **error)
{
    g_auto(GStrv) halves = g_strsplit(text, ":", 2);

    *model = (Model){
        .kind = find_kind(halves[0] ? g_strstrip(halves[0]) : "", error),
        .clip = TRUE};
    if (model->kind == NULL)
        return FALSE;
    for (int i = 0; i < MAX_PARAMETERS; i++)
        model->parameters[i].low = model->parameters[i].high =
            model->kind->rules[i].value;
    if (halves[0] == NULL || halves[1] == NULL)
        return TRUE;

    g_auto(GStrv) pairs = g_strsplit(halves[1], ",", -1);
    for (int i = 0; pairs[i]; i++)
        if (!parse_pair(model, pairs[i], error))
            return FALSE;
    return TRUE;
}

AeNoise *ae_noise_parse(const char *text, GError **error)
{
    g_auto(GStrv) texts =
        g_strsplit(text != NULL && *text != '\0' ? text : " ", "|", -1);
    guint n = g_strv_length(texts);
    g_autoptr(AeNoise) noise = g_malloc0(sizeof *noise + n * sizeof(Model));

    noise->n_models = (int)n;
    for (guint i = 0; i < n; i++)
        if (!parse_model(&noise->models[i], texts[i], error))
            return NULL;
    return g_steal_pointer(&noise);
}

void ae_noise_free(AeNoise *noise)
{
    g_free(noise);
}

static gboolean is_none(const Model *model)
{
    return model->kind->apply == apply_none;
}

gboolean ae_noise_is_none(const AeNoise *noise)
{
    for (int i = 0; i < noise->n_models; i++)
        if (!is_none(&noise->models[i]))
            return FALSE;
    return TRUE;
}

static gboolean is_range(const Parameter *parameter)
{
    return parameter->low < parameter->high;
}

static void draw_values(const Model *model, const float *uniform, float *values)
{
    for (int i = 0; i < MAX_PARAMETERS; i++) {
        const Parameter *range = &model->parameters[i];
        values[i] = range->low + (range->high - range->low) * uniform[i];
    }
}

static gboolean apply_to_plane(const Model *model, AeRandom *random,
                               float *target, float *source,
                               const AeNoisePlane *plane, const float *uniform,
                               GError **error)
{
    int64_t n = plane->width * plane->height * plane->channels;
    float values[MAX_PARAMETERS];

    draw_values(model, uniform, values);

    if (model->kind->apply_plane != NULL &&
        !model->kind->apply_plane(random, target, source, plane, values, error))
        return FALSE;
    for (int64_t i = 0; i < n; i += CHUNK) {
        int count = (int)MIN(CHUNK, n - i);
        if (model->kind->apply != NULL)
            model->kind->apply(random, target + i, source + i, count, values);
        if (model->clip && !is_none(model))
            clip(target + i, count);
    }
    return TRUE;
}

gboolean ae_noise_apply(const AeNoise *noise, float *target, float *source,
                        const AeNoisePlane *planes, int n_planes, uint64_t seed,
                        uint64_t image, GError **error)
{
    AeRandom random = ae_random(seed, image);
    float uniform[MAX_PARAMETERS];

    draw_uniform(&random, uniform, FIRST + 1);

    const Model *model =
        &noise->models[(int)(uniform[FIRST] * noise->n_models)];
    for (int i = 0; i < n_planes; i++) {
        if (i > 0)
            draw_uniform(&random, uniform, FIRST);
        for (int k = FIRST; k < MAX_PARAMETERS; k++)
            if (is_range(&model->parameters[k]))
                draw_uniform(&random, &uniform[k], 1);
        if (!apply_to_plane(model, &random, target, source, &planes[i], uniform,
                            error))
            return FALSE;
        target += planes[i].width * planes[i].height * planes[i].channels;
        source += planes[i].width * planes[i].height * planes[i].channels;
    }
    return TRUE;
}
