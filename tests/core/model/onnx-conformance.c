/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* onnx-conformance DIR [SUITE...]: runs ONNX's own backend test data (Debian:
 * libonnx-testdata) and prints one line a case:
 *
 *   pass NAME
 *   refused NAME: reason
 *   wrong NAME: first difference
 *   crashed NAME: signal
 *
 * A case is claimed if it is made of known operators outside training mode, of
 * opset 6 at least, and computes float32 from float32 and whole numbers.
 * Succeeds if every claimed case passes and no other is wrong or crashes; 77 if
 * there is no data. Each case runs in a process of its own. */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "ae.h"
#include "onnx.pb-c.h"
#include "ops/ops.h"
#include "model/build.h"
#include "model/onnx-parse.h"
#include "base/file.h"

#define RELATIVE 1e-3 /* the tolerances of ONNX's own test runner */
#define ABSOLUTE 1e-5 /* it has 1e-7, which sums in another order exceed */
#define RELATIVE_BFLOAT16 0x1p-8 /* half of a step between two numbers */

enum { SKIP = 77, TIME_LIMIT = 60, MIN_OPSET = 6 };

typedef enum { PASSED, REFUSED, WRONG, CRASHED, RESULTS } Result;

static const char *const result_names[] = {"pass", "refused", "wrong",
                                           "crashed"};

typedef struct {
    int count[RESULTS];
    int claimed;
    GPtrArray *missed; /* names of claimed cases that do not pass */
} Totals;

/* The tensors of a data set: input_0.pb, input_1.pb, ... */
static GPtrArray *read_tensors(const char *folder, const char *kind,
                               GError **error)
{
    g_autoptr(GPtrArray) tensors =
        g_ptr_array_new_with_free_func((GDestroyNotify)ae_tensor_free);

    for (int i = 0;; i++) {
        g_autofree char *path = g_strdup_printf("%s/%s_%d.pb", folder, kind, i);
        g_autoptr(GBytes) bytes = NULL;
        AeTensor *tensor;

        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            return g_steal_pointer(&tensors);
        bytes = ae_file_read(path, error);
        if (bytes == NULL)
            return NULL;
        tensor = ae_onnx_parse_tensor(g_bytes_get_data(bytes, NULL),
                                      g_bytes_get_size(bytes), error);
        if (tensor == NULL) {
            g_prefix_error(error, "%s %d: ", kind, i);
            return NULL;
        }
        g_ptr_array_add(tensors, tensor);
    }
}

typedef enum {
    BIND_INTEGERS,
    BIND_PARAMETERS, /* and all floats but the first input */
    BIND_ALL,
} Binding;

static gboolean is_bound(const AeTensor *tensor, guint i, Binding binding)
{
    return tensor->integer || binding == BIND_ALL ||
           (binding == BIND_PARAMETERS && i > 0);
}

/* Inputs that @binding takes become constants; the shapes of the others go
 * to @shapes and their numbers to @fed. */
static gboolean bind_inputs(AeModel *model, const GPtrArray *inputs,
                            Binding binding, GArray *shapes, GArray *fed,
                            GError **error)
{
    g_autofree int *numbers =
        g_memdup2(model->inputs->data, model->inputs->len * sizeof(int));

    if (model->inputs->len != inputs->len) {
        g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                    "the model has %u inputs, the data %u", model->inputs->len,
                    inputs->len);
        return FALSE;
    }
    for (guint i = 0; i < inputs->len; i++) {
        const AeTensor *input = g_ptr_array_index(inputs, i);

        if (input->integer != ae_model_value(model, numbers[i])->integer) {
            g_set_error(error, AE_ERROR, AE_ERROR_SHAPE,
                        "input %u of the data is not of the type that the "
                        "model declares",
                        i);
            return FALSE;
        }
        if (!is_bound(input, i, binding)) {
            g_array_append_val(shapes, input->shape);
            g_array_append_val(fed, i);
        } else if (!ae_model_bind_input(model,
                                        ae_model_value(model, numbers[i])->name,
                                        ae_tensor_copy(input, error), error)) {
            return FALSE;
        }
    }
    return TRUE;
}

/* @outputs: how many the model has. */
static AePlan *make_plan(const char *path, const GPtrArray *inputs,
                         Binding binding, GArray *fed, guint *outputs,
                         GError **error)
{
    g_autoptr(AeModel) model = ae_onnx_load(path, error);
    g_autoptr(GArray) shapes = g_array_new(FALSE, FALSE, sizeof(AeShape));
    AePlanOptions options = {0};

    if (model == NULL ||
        !bind_inputs(model, inputs, binding, shapes, fed, error))
        return NULL;
    options.shapes = (const AeShape *)shapes->data;
    options.n_inputs = (int)shapes->len;
    *outputs = model->outputs->len;
    return ae_plan_new(model, &options, error);
}

/* Binds as little as planning allows. */
static AePlan *find_plan(const char *path, const GPtrArray *inputs, GArray *fed,
                         guint *outputs, GError **error)
{
    for (int binding = BIND_INTEGERS; binding <= BIND_ALL; binding++) {
        g_autoptr(GError) reason = NULL;
        AePlan *plan;

        g_array_set_size(fed, 0);
        plan = make_plan(path, inputs, binding, fed, outputs, &reason);
        if (plan != NULL)
            return plan;
        if (binding == BIND_ALL ||
            strstr(reason->message, "must be a constant") == NULL) {
            g_propagate_error(error, g_steal_pointer(&reason));
            break;
        }
    }
    return NULL;
}

/* What the file says, apart from what our reader makes of it. */
typedef struct {
    gboolean claimed;
    gboolean random;   /* its numbers have no reference, only their shape */
    gboolean bfloat16; /* so are its outputs */
} Facts;

static gboolean close_enough(double found, double expected, double relative)
{
    if (isnan(expected) || isnan(found))
        return isnan(expected) && isnan(found);
    return found == expected ||
           fabs(found - expected) <= ABSOLUTE + relative * fabs(expected);
}

static Result compare(const AePlan *plan, int i, const AeTensor *expected,
                      Facts facts, char **message)
{
    const AeShape *shape = ae_plan_output_shape(plan, i);
    const float *found = ae_plan_output(plan, i);
    int64_t count = ae_shape_elements(shape);
    double relative = facts.bfloat16 ? RELATIVE_BFLOAT16 : RELATIVE;

    if (facts.bfloat16 && expected->integer) { /* old data are the bits */
        *message = g_strdup_printf("output %d of the data is not of the type "
                                   "that the model declares",
                                   i);
        return REFUSED;
    }
    if (!ae_shape_equal(shape, &expected->shape)) {
        g_autofree char *is = ae_shape_to_string(shape);
        g_autofree char *should = ae_shape_to_string(&expected->shape);

        *message = g_strdup_printf("output %d is %s, not %s", i, is, should);
        return WRONG;
    }
    for (int64_t k = 0; k < count && !facts.random; k++) {
        if (close_enough(found[k], expected->data[k], relative))
            continue;
        *message = g_strdup_printf("output %d: element %" G_GINT64_FORMAT
                                   " is %g, not %g",
                                   i, k, found[k], expected->data[k]);
        return WRONG;
    }
    return PASSED;
}

static Result compare_all(const AePlan *plan, const GPtrArray *outputs,
                          guint found, Facts facts, char **message)
{
    if (outputs->len > found) {
        *message =
            g_strdup_printf("it has %u outputs, not %u", found, outputs->len);
        return WRONG;
    }
    for (guint i = 0; i < outputs->len; i++) {
        Result result = compare(plan, (int)i, g_ptr_array_index(outputs, i),
                                facts, message);

        if (result != PASSED)
            return result;
    }
    return PASSED;
}

static Result run_data(const char *model, const char *folder, Facts facts,
                       char **message)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GPtrArray) inputs = read_tensors(folder, "input", &error);
    g_autoptr(GPtrArray) outputs =
        inputs ? read_tensors(folder, "output", &error) : NULL;
    g_autoptr(GArray) fed = g_array_new(FALSE, FALSE, sizeof(guint));
    guint found = 0;
    g_autoptr(AePlan) plan =
        outputs ? find_plan(model, inputs, fed, &found, &error) : NULL;

    if (plan == NULL) {
        *message = g_strdup(error->message);
        return REFUSED;
    }
    for (guint i = 0; i < fed->len; i++) {
        const AeTensor *input =
            g_ptr_array_index(inputs, g_array_index(fed, guint, i));

        memcpy(ae_plan_input(plan, (int)i), input->data,
               sizeof(float) * ae_shape_elements(&input->shape));
    }
    ae_plan_run(plan);
    return compare_all(plan, outputs, found, facts, message);
}

static gboolean is_float(int32_t type)
{
    return type == 1;
}

static gboolean is_whole(int32_t type)
{
    return (type >= 2 && type <= 7) || type == 9 || type == 12 || type == 13;
}

/* Batch statistics and random masks belong to training. */
static gboolean is_training(const Onnx__NodeProto *node)
{
    for (size_t i = 0; i < node->n_attribute; i++)
        if (strcmp(node->attribute[i]->name, "training_mode") == 0)
            return node->attribute[i]->i != 0;
    return strcmp(node->op_type, "Dropout") == 0 && node->n_input > 2;
}

static gboolean check_operators(const Onnx__GraphProto *graph, Facts *facts)
{
    gboolean known = TRUE;

    for (size_t i = 0; i < graph->n_node; i++) {
        const Onnx__NodeProto *node = graph->node[i];

        known &= node->domain == NULL || *node->domain == '\0';
        known &= ae_operator_find(node->op_type) && !is_training(node);
        facts->random |= g_str_has_prefix(node->op_type, "Random");
    }
    return known;
}

static int32_t element_type(const Onnx__ValueInfoProto *info)
{
    return info->type && info->type->tensor_type
               ? info->type->tensor_type->elem_type
               : 0;
}

static gboolean check_types(const Onnx__GraphProto *graph)
{
    gboolean ok = TRUE;

    for (size_t i = 0; i < graph->n_input; i++) {
        int32_t type = element_type(graph->input[i]);

        ok &= is_float(type) || is_whole(type);
    }
    for (size_t i = 0; i < graph->n_output; i++)
        ok &= is_float(element_type(graph->output[i]));
    for (size_t i = 0; i < graph->n_initializer; i++) {
        int32_t type = graph->initializer[i]->data_type;

        ok &= is_float(type) || is_whole(type);
    }
    return ok;
}

static gboolean makes_bfloat16(const Onnx__GraphProto *graph)
{
    for (size_t i = 0; i < graph->n_output; i++)
        if (element_type(graph->output[i]) == AE_ELEMENT_BFLOAT16)
            return TRUE;
    return FALSE;
}

static Facts read_facts(const char *path)
{
    Facts facts = {FALSE, FALSE, FALSE};
    g_autoptr(GBytes) bytes = ae_file_read(path, NULL);
    Onnx__ModelProto *file =
        bytes == NULL
            ? NULL
            : onnx__model_proto__unpack(NULL, g_bytes_get_size(bytes),
                                        g_bytes_get_data(bytes, NULL));

    if (file != NULL && file->graph != NULL)
        facts.bfloat16 = makes_bfloat16(file->graph);
    if (file != NULL && file->n_opset_import == 1 && file->graph != NULL)
        facts.claimed = file->opset_import[0]->version >= MIN_OPSET &&
                        check_operators(file->graph, &facts) &&
                        check_types(file->graph);
    onnx__model_proto__free_unpacked(file, NULL);
    return facts;
}

/* Cases whose reference counts a part of an output element in the length of the
 * output, where ONNX Runtime, OpenVINO and PyTorch count whole elements. */
static gboolean is_disputed(const char *folder)
{
    return g_str_has_suffix(
               folder, "test_resize_downsample_scales_linear_align_corners") ||
           g_str_has_suffix(
               folder, "test_resize_downsample_scales_cubic_align_corners");
}

static Result run_case(const char *folder, Facts facts, char **message)
{
    g_autofree char *model = g_build_filename(folder, "model.onnx", NULL);
    Result result = PASSED;

    for (int i = 0; result == PASSED; i++) {
        g_autofree char *data =
            g_strdup_printf("%s/test_data_set_%d", folder, i);

        if (!g_file_test(data, G_FILE_TEST_IS_DIR)) {
            if (i == 0)
                *message = g_strdup("it has no data");
            return i == 0 ? REFUSED : PASSED;
        }
        result = run_data(model, data, facts, message);
    }
    return result;
}

/* The child writes its message to the pipe and exits with its result. */
static void run_child(const char *folder, Facts facts, int fd)
{
    g_autofree char *message = NULL;
    Result result;

    alarm(TIME_LIMIT);
    result = run_case(folder, facts, &message);
    if (message != NULL && write(fd, message, strlen(message)) < 0)
        result = CRASHED;
    _exit(result);
}

static char *read_message(int fd)
{
    GString *message = g_string_new(NULL);
    char part[512];
    gssize n;

    while ((n = read(fd, part, sizeof part)) > 0)
        g_string_append_len(message, part, n);
    return g_string_free(message, FALSE);
}

static Result run_forked(const char *folder, Facts facts, char **message)
{
    int ends[2], status;
    pid_t child;

    fflush(stdout);
    if (pipe(ends) != 0 || (child = fork()) < 0) {
        *message = g_strdup("cannot start a process");
        return CRASHED;
    }
    if (child == 0)
        run_child(folder, facts, ends[1]);
    close(ends[1]);
    *message = read_message(ends[0]);
    close(ends[0]);
    waitpid(child, &status, 0);
    if (WIFEXITED(status) && WEXITSTATUS(status) < CRASHED)
        return WEXITSTATUS(status);
    g_free(*message);
    *message = g_strdup(WIFSIGNALED(status) ? strsignal(WTERMSIG(status))
                                            : "it exited");
    return CRASHED;
}

static void report(const char *name, Facts facts, Result result,
                   const char *message, Totals *totals)
{
    totals->count[result]++;
    totals->claimed += facts.claimed;
    if (facts.claimed && result != PASSED)
        g_ptr_array_add(totals->missed, g_strdup(name));
    printf("%s %s%s%s\n", result_names[result], name,
           result == PASSED ? "" : ": ", result == PASSED ? "" : message);
}

static int compare_strings(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static GPtrArray *list_cases(const char *folder)
{
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    const char *name;

    while (dir != NULL && (name = g_dir_read_name(dir)) != NULL)
        if (g_str_has_prefix(name, "test_"))
            g_ptr_array_add(names, g_strdup(name));
    g_ptr_array_sort(names, compare_strings);
    return names;
}

static void run_suite(const char *data, const char *suite, Totals *totals)
{
    g_autofree char *folder = g_build_filename(data, suite, NULL);
    g_autoptr(GPtrArray) names = list_cases(folder);

    for (guint i = 0; i < names->len; i++) {
        g_autofree char *name =
            g_build_filename(suite, g_ptr_array_index(names, i), NULL);
        g_autofree char *path = g_build_filename(data, name, NULL);
        g_autofree char *model = g_build_filename(path, "model.onnx", NULL);
        Facts facts = read_facts(model);
        g_autofree char *message = NULL;

        facts.random |= is_disputed(path);

        Result result = run_forked(path, facts, &message);

        report(name, facts, result, message, totals);
    }
}

int main(int argc, char **argv)
{
    static const char *const suites[] = {"node", "simple", "pytorch-operator",
                                         "pytorch-converted", NULL};
    const char *const *chosen =
        argc > 2 ? (const char *const *)argv + 2 : suites;
    Totals totals = {.missed = g_ptr_array_new_with_free_func(g_free)};
    guint failed;

    if (argc < 2 || !g_file_test(argv[1], G_FILE_TEST_IS_DIR)) {
        fprintf(stderr,
                "onnx-conformance: no test data%s%s; "
                "usage: onnx-conformance DIR [SUITE...]\n",
                argc < 2 ? "" : " in ", argc < 2 ? "" : argv[1]);
        return SKIP;
    }
    for (int i = 0; chosen[i] != NULL; i++)
        run_suite(argv[1], chosen[i], &totals);
    printf("%d passed, %d refused, %d wrong, %d crashed\n",
           totals.count[PASSED], totals.count[REFUSED], totals.count[WRONG],
           totals.count[CRASHED]);
    for (guint i = 0; i < totals.missed->len; i++)
        printf("claimed, but not passed: %s\n",
               (char *)g_ptr_array_index(totals.missed, i));
    printf("claimed %d, passed %d\n", totals.claimed,
           totals.claimed - (int)totals.missed->len);
    failed = totals.count[WRONG] + totals.count[CRASHED] + totals.missed->len;
    g_ptr_array_unref(totals.missed);
    return failed > 0 ? EXIT_FAILURE : EXIT_SUCCESS;
}
