/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building blocks of networks. Each function appends nodes to the model and
 * returns the number of the new value, so that a network reads like its table.
 * Images are N x channels x height x width; a row of numbers is N x numbers.
 * Nodes are of ONNX opset 17. Weights are random, Glorot uniform (Glorot and
 * Bengio, AISTATS 2010, eq. 16); biases are zero. */
#pragma once

#include "networks/options.h"
#include "model/model.h"

G_BEGIN_DECLS

typedef struct {
    AeModel *model;
    AeArchitectureOptions options; /* with all defaults filled in */
    int label;                     /* the input of labels, or -1 */
    double n_weights;              /* of all constants */
    GError *error;                 /* there was no memory for them */
} AeNet;

/* The network; NULL, with AE_ERROR_MEMORY and the size of the weights, if there
 * is no memory for them. */
AeModel *ae_net_finish(AeNet *net, GError **error);

/* Appends any node, named after its number, as is its only output @out. */
AeNode *ae_net_append(AeNet *net, const char *op, const int *in, int n_in,
                      int *out);

int ae_net_relu(AeNet *net, int x);
int ae_net_leaky_relu(AeNet *net, int x, float slope);
int ae_net_sigmoid(AeNet *net, int x);
int ae_net_add(AeNet *net, int a, int b);
int ae_net_subtract(AeNet *net, int a, int b);

/* A convolution with a k x k kernel and stride 1, from @ci to @co channels. It
 * keeps the size; without padding (valid) width and height lose k - 1 pixels.
 */
int ae_net_conv(AeNet *net, int x, int ci, int co, int k);
int ae_net_conv_valid(AeNet *net, int x, int ci, int co, int k);

/* A convolution with stride 2 that halves the size. For a kernel larger than 2
 * it pads the image by (k - 2) / 2 at the top and left and by the rest of k - 2
 * at the bottom and right, as TensorFlow does. */
int ae_net_conv_half(AeNet *net, int x, int ci, int co, int k);

/* The transposed convolution that doubles width and height. */
int ae_net_conv_up(AeNet *net, int x, int ci, int co, int k, gboolean bias);

/* The maxima of 2 x 2 pixels. Odd sizes are padded at the bottom and right, as
 * TensorFlow does. */
int ae_net_pool(AeNet *net, int x);

/* Enlarges an image by nearest neighbour, 2 or @scale times. */
int ae_net_up(AeNet *net, int x);
int ae_net_enlarge(AeNet *net, int x, int scale);

/* Enlarges an image by interpolation with @mode "linear" or "cubic" (Keys, a =
 * -0.5), and clips to 0 .. 1. */
int ae_net_interpolate(AeNet *net, int x, int scale, const char *mode);

int ae_net_pixel_shuffle(AeNet *net, int x, int scale);

/* A fully connected layer; an image as a row of numbers, and back. */
int ae_net_dense(AeNet *net, int x, int n_in, int n_out);
int ae_net_flatten(AeNet *net, int x);
int ae_net_unflatten(AeNet *net, int x, int channels, int height, int width);

/* The rows of images as the steps of sequences, height x N x (channels *
 * width), and images from rows of numbers in this order. */
int ae_net_image_steps(AeNet *net, int x);
int ae_net_steps_image(AeNet *net, int x);

/* Repeats a row of numbers at each of @steps steps. */
int ae_net_repeat(AeNet *net, int x, int steps);

/* An LSTM over steps x N x @n_in. ae_net_lstm_last() returns its state after
 * the last step, N x @units; ae_net_lstm_rows() its states after all steps, as
 * rows of numbers. Forget gates start open (Gers et al., Neural Computation
 * 2000), with a bias of 3 instead of the usual 1: it keeps a quarter of a state
 * for 28 steps, where 1 keeps nothing. */
int ae_net_lstm_last(AeNet *net, int x, int n_in, int units);
int ae_net_lstm_rows(AeNet *net, int x, int n_in, int units);

/* Appends the one-hot row of the label to rows of numbers, if the network takes
 * labels. */
int ae_net_with_label(AeNet *net, int x);

/* Declares @x as the code in the metadata. With options.latent_noise the code
 * is @x with noise of this standard deviation, and @x is declared as its mean.
 */
int ae_net_code(AeNet *net, int x);

/* A variational code of options.latent_size values, drawn from the normal
 * distribution whose moments two dense layers compute; options.form gives their
 * meaning. */
int ae_net_sampled_code(AeNet *net, int x, int n_in);

/* A variational code from a mean and a standard deviation that may be negative,
 * for network kvfrans. */
int ae_net_sampled_code_sd(AeNet *net, int x, int n_in);

G_END_DECLS
