/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Noise models: parsed from "KIND:KEY=VALUE,...", applied in chunks.
 *
 * An image's random numbers are the Philox stream (seed, image): first one
 * uniform number for each parameter (a parameter that is no range leaves it
 * unused), then, from the next block on, the samples' numbers in order. */
#include "noise.h"
#include "error.h"
#include "random.h"

#include <math.h>

enum { MAX_PARAMETERS = 2, CHUNK = 1024 };

typedef struct {
    float low, high; /* equal unless a range was given */
} Parameter;

typedef struct {
    const char *key;
    float value; /* default */
    float least;
} ParameterRule;

/* target = source with noise, n <= CHUNK samples, before clipping. */
typedef void (*Apply)(AeRandom *random, float *target, const float *source,
                      int n, const float *values);

typedef struct {
    const char *name;
    ParameterRule rules[MAX_PARAMETERS]; /* key NULL: no more */
    Apply apply;
} Kind;

struct AeNoise {
    const Kind *kind;
    Parameter parameters[MAX_PARAMETERS];
    gboolean clip;
};

static void apply_none(AeRandom *random, float *target, const float *source,
                       int n, const float *values)
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

static void apply_salt_pepper(AeRandom *random, float *target,
                              const float *source, int n, const float *values)
{
    for (int i = 0; i < n; i++) {
        float u = ae_random_uniform(random);
        float grain = u < values[0] / 2 ? 0 : 1;
        target[i] = u < values[0] ? grain : source[i];
    }
}

static const Kind kinds[] = {
    {"none", {{0}}, apply_none},
    {"gaussian", {{"mean", 0, -INFINITY}, {"sd", 0.1f, 0}}, apply_gaussian},
    {"uniform", {{"mean", 0, -INFINITY}, {"width", 0.1f, 0}}, apply_uniform},
    {"poisson-gaussian",
     {{"gain", 0.01f, 0}, {"sd", 0.01f, 0}},
     apply_poisson_gaussian},
    {"salt-pepper", {{"p", 0.05f, 0}}, apply_salt_pepper},
};

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

/* "A" or "A..B". */
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

static gboolean parse_parameter(AeNoise *noise, const char *key,
                                const char *value, GError **error)
{
    const ParameterRule *rules = noise->kind->rules;

    for (int i = 0; i < MAX_PARAMETERS && rules[i].key; i++) {
        if (!g_str_equal(rules[i].key, key))
            continue;
        if (parse_range(value, &noise->parameters[i]) &&
            noise->parameters[i].low >= rules[i].least)
            return TRUE;
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "Noise model %s: %s must be a number%s or a range A..B "
                    "of two, but is \"%s\"",
                    noise->kind->name, key,
                    rules[i].least == 0 ? " of 0 or more" : "", value);
        return FALSE;
    }
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "Noise model %s has no key \"%s\"; it knows %s%s%s%sclip",
                noise->kind->name, key, rules[0].key ? rules[0].key : "",
                rules[0].key ? ", " : "", rules[1].key ? rules[1].key : "",
                rules[1].key ? ", " : "");
    return FALSE;
}

static gboolean parse_pair(AeNoise *noise, const char *text, GError **error)
{
    g_auto(GStrv) pair = g_strsplit(text, "=", 2);

    if (pair[0] == NULL || pair[1] == NULL) {
        g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                    "Noise model %s: expected KEY=VALUE, but found \"%s\"",
                    noise->kind->name, text);
        return FALSE;
    }
    g_strstrip(pair[0]);
    g_strstrip(pair[1]);
    if (!g_str_equal(pair[0], "clip"))
        return parse_parameter(noise, pair[0], pair[1], error);

    noise->clip = g_str_equal(pair[1], "true");
    if (noise->clip || g_str_equal(pair[1], "false"))
        return TRUE;
    g_set_error(error, AE_ERROR, AE_ERROR_VALUE,
                "Noise model %s: clip must be true or false, but is \"%s\"",
                noise->kind->name, pair[1]);
    return FALSE;
}

static void clip(float *target, int n)
{
    for (int i = 0; i < n; i++) {
        float x = target[i] > 0 ? target[i] : 0;
        target[i] = x < 1 ? x : 1;
    }
}

AeNoise *ae_noise_parse(const char *text, GError **error)
{
    g_auto(GStrv) halves = g_strsplit(text ? text : "", ":", 2);
    const char *name = halves[0] ? g_strstrip(halves[0]) : "";
    const Kind *kind = find_kind(name, error);

    if (kind == NULL)
        return NULL;

    g_autoptr(AeNoise) noise = g_new0(AeNoise, 1);
    noise->kind = kind;
    noise->clip = TRUE;
    for (int i = 0; i < MAX_PARAMETERS; i++)
        noise->parameters[i].low = noise->parameters[i].high =
            kind->rules[i].value;
    if (halves[1] == NULL)
        return g_steal_pointer(&noise);

    g_auto(GStrv) pairs = g_strsplit(halves[1], ",", -1);
    for (int i = 0; pairs[i]; i++)
        if (!parse_pair(noise, pairs[i], error))
            return NULL;
    return g_steal_pointer(&noise);
}

void ae_noise_free(AeNoise *noise)
{
    g_free(noise);
}

gboolean ae_noise_is_none(const AeNoise *noise)
{
    return noise->kind->apply == apply_none;
}

void ae_noise_apply(const AeNoise *noise, float *target, const float *source,
                    int64_t n, uint64_t seed, uint64_t image)
{
    AeRandom random = ae_random(seed, image);
    float values[MAX_PARAMETERS];

    for (int i = 0; i < MAX_PARAMETERS; i++) {
        const Parameter *range = &noise->parameters[i];
        float u = ae_random_uniform(&random);
        values[i] = range->low + (range->high - range->low) * u;
    }
    random.left = 0;

    for (int64_t i = 0; i < n; i += CHUNK) {
        int count = (int)MIN(CHUNK, n - i);
        noise->kind->apply(&random, target + i, source + i, count, values);
        if (noise->clip && !ae_noise_is_none(noise))
            clip(target + i, count);
    }
}
