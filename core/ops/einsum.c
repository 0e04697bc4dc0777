/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Einsum of one or two operands: each letter of the equation is an axis. The
 * result has a sum of products for each position of the letters behind the
 * arrow, over all positions of the other letters. */
#include <string.h>

#include "ops/box.h"

enum { MAX_LABELS = 3 * AE_MAX_RANK, ELLIPSIS = '1' }; /* '1' .. '8' */

/* Positions of an operand along the letters of the result, and of the sum. */
typedef struct {
    AeBox kept, summed;
} Place;

typedef struct {
    Place a, b, y;
    int64_t n; /* terms of a sum */
} Einsum;

/* The letters of an operand or the result; axes that "..." stands for become
 * the letters before '9', so that they align at the last. */
static gboolean expand(const AeStep *step, const char *text, int rank,
                       GString *letters, GError **error)
{
    const char *dots = strstr(text, "...");
    int covered = rank - (int)strlen(text) + 3;

    if (dots == NULL) {
        g_string_assign(letters, text);
        return TRUE;
    }
    if (covered < 0 || covered > AE_MAX_RANK)
        return ae_step_fail(step, error, AE_ERROR_SHAPE,
                            "'%s' has more letters than axes", text);
    g_string_assign(letters, "");
    g_string_append_len(letters, text, dots - text);
    for (int i = AE_MAX_RANK - covered; i < AE_MAX_RANK; i++)
        g_string_append_c(letters, (char)(ELLIPSIS + i));
    g_string_append(letters, dots + 3);
    return TRUE;
}

/* The size of @letter; 0: @operand does not have it, -1: its axes differ. */
static int64_t size_of(const AeOperand *operand, const char *letters,
                       char letter)
{
    int64_t size = 0;

    for (int i = 0; letters[i] != '\0'; i++) {
        if (letters[i] != letter)
            continue;
        if (size > 1 && operand->shape.dim[i] != size)
            return -1;
        size = operand->shape.dim[i];
    }
    return size;
}

/* A letter that stands twice is a diagonal. */
static int64_t stride_of(const AeOperand *operand, const char *letters,
                         char letter)
{
    int64_t stride = 0;

    for (int i = 0; letters[i] != '\0'; i++)
        if (letters[i] == letter && operand->shape.dim[i] != 1)
            stride += operand->stride[i];
    return stride;
}

/* What stands behind the arrow where there is none: letters that stand once,
 * in the order of the alphabet. */
static void guess_result(const GString *all, GString *result)
{
    for (int c = ELLIPSIS; c <= 'z'; c++) {
        int count = 0;

        for (gsize i = 0; i < all->len; i++)
            count += all->str[i] == c;
        if (count == 1 || (count > 0 && c < 'A'))
            g_string_append_c(result, (char)c);
    }
}

/* Sets the boxes of all operands; the shape of the result is set first, as its
 * strides are needed. @letters: of the inputs, then of the result. */
static gboolean place_letters(AeStep *step, const GString *all,
                              char *const *letters, GError **error)
{
    Einsum *einsum = step->params;
    const char *result = letters[step->n_in];
    AeShape shape = {.rank = 0};
    int64_t sizes[256] = {0};

    for (gsize k = 0; k < all->len; k++)
        for (int i = 0; i < step->n_in; i++) {
            const unsigned char c = (unsigned char)all->str[k];
            int64_t size = size_of(step->in[i], letters[i], (char)c);

            if (size < 0 || (size > 1 && sizes[c] > 1 && size != sizes[c]))
                return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                    "axes of '%c' have different sizes", c);
            sizes[c] = size == 0 || sizes[c] > 1 ? sizes[c] : size;
        }
    for (int i = 0; result[i] != '\0'; i++) {
        if (shape.rank == AE_MAX_RANK || strchr(all->str, result[i]) == NULL ||
            strchr(result + i + 1, result[i]) != NULL)
            return ae_step_fail(step, error, AE_ERROR_VALUE,
                                "the result '%s' is impossible", result);
        shape.dim[shape.rank++] = sizes[(unsigned char)result[i]];
    }
    if (!ae_step_set_output(step, 0, &shape, error))
        return FALSE;
    for (gsize k = 0; k < all->len; k++) {
        const char c = all->str[k];

        if (einsum->a.summed.rank == AE_MAX_RANK)
            return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                                "sums over more than %d axes are not supported",
                                AE_MAX_RANK - 1);
        const gboolean kept = strchr(result, c) != NULL;
        const AeOperand *const operands[] = {
            step->in[0], step->in[step->n_in - 1], step->out[0]};
        const char *const names[] = {letters[0], letters[step->n_in - 1],
                                     result};
        Place *const places[] = {&einsum->a, &einsum->b, &einsum->y};

        if (memchr(all->str, c, k) != NULL)
            continue;
        for (int i = 0; i < 3; i++)
            ae_box_append(kept ? &places[i]->kept : &places[i]->summed,
                          sizes[(unsigned char)c],
                          stride_of(operands[i], names[i], c));
    }
    einsum->n = ae_box_count(&einsum->a.summed);
    step->units = ae_box_count(&einsum->a.kept);
    return TRUE;
}

static gboolean read_letters(AeStep *step, char *const *terms, char **letters,
                             GString *all, GError **error)
{
    g_autoptr(GString) expanded = g_string_new(NULL);

    for (int i = 0; i < step->n_in; i++) {
        int rank = step->in[i]->shape.rank;

        if (!expand(step, terms[i], rank, expanded, error))
            return FALSE;
        if ((int)expanded->len != rank)
            return ae_step_fail(step, error, AE_ERROR_SHAPE,
                                "'%s' has not as many letters as input %d axes",
                                terms[i], i);
        g_string_append(all, expanded->str);
        letters[i] = g_strdup(expanded->str);
    }
    return TRUE;
}

static gboolean einsum_plan(AeStep *step, GError **error)
{
    g_auto(GStrv) words =
        g_strsplit(ae_node_string(step->node, "equation", ""), " ", -1);
    g_autofree char *equation = g_strjoinv("", words);
    g_auto(GStrv) sides = g_strsplit(equation, "->", 2);
    const char *left = sides[0] != NULL ? sides[0] : "";
    const char *right = sides[0] != NULL ? sides[1] : NULL;
    g_auto(GStrv) terms = *left != '\0' ? g_strsplit(left, ",", -1)
                                        : g_strdupv((char *[]){"", NULL});
    g_auto(GStrv) letters = g_new0(char *, step->n_in + 2);
    g_autoptr(GString) all = g_string_new(NULL), result = g_string_new(NULL);
    int covered = 0;

    step->params = g_new0(Einsum, 1);
    if ((int)g_strv_length(terms) != step->n_in ||
        !ae_step_has(step, step->n_in - 1))
        return ae_step_fail(step, error, AE_ERROR_VALUE,
                            "the equation '%s' does not fit %d inputs",
                            equation, step->n_in);
    if (!read_letters(step, terms, letters, all, error))
        return FALSE;
    for (int i = 0; i < AE_MAX_RANK; i++)
        covered += strchr(all->str, ELLIPSIS + i) != NULL;
    if (right == NULL)
        guess_result(all, result);
    else if (!expand(step, right, (int)strlen(right) - 3 + covered, result,
                     error))
        return FALSE;
    letters[step->n_in] = g_strdup(result->str);
    if (all->len > MAX_LABELS)
        return ae_step_fail(step, error, AE_ERROR_UNSUPPORTED,
                            "more than %d axes are not supported", MAX_LABELS);
    return place_letters(step, all, letters, error);
}

static void einsum_forward(const AeStep *step, int64_t begin, int64_t end,
                           float *scratch G_GNUC_UNUSED)
{
    const Einsum *einsum = step->params;
    const gboolean two = step->n_in > 1;

    for (int64_t unit = begin; unit < end; unit++) {
        const float *a =
            step->in[0]->data + ae_box_offset(&einsum->a.kept, unit);
        const float *b = step->in[step->n_in - 1]->data +
                         ae_box_offset(&einsum->b.kept, unit);
        double sum = 0;

        for (int64_t i = 0; i < einsum->n; i++)
            sum += (double)a[ae_box_offset(&einsum->a.summed, i)] *
                   (two ? b[ae_box_offset(&einsum->b.summed, i)] : 1);
        step->out[0]->data[ae_box_offset(&einsum->y.kept, unit)] = (float)sum;
    }
}

const AeOperator ae_ops_einsum[] = {
    {
        .name = "Einsum",
        .min_in = 1,
        .max_in = 2,
        .max_out = 1,
        .plan = einsum_plan,
        .forward = einsum_forward,
    },
    {NULL},
};
