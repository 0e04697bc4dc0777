/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Building blocks of networks: each appends to the tape and returns the number
 * of the new value, so that a network reads like its table. All are ONNX opset
 * 17. Weights are fresh: Glorot uniform (Glorot and Bengio, AISTATS 2010, eq.
 * 16), biases zero. */
#pragma once

#include "networks/architectures.h"
#include "model/model.h"

G_BEGIN_DECLS

typedef struct {
    AeModel *model;
    AeArchitectureOptions options; /* complete: no default left open */
    int label;                     /* the input, or -1 */
} AeNet;

int ae_net_relu(AeNet *net, int x);
int ae_net_leaky_relu(AeNet *net, int x, float slope);
int ae_net_sigmoid(AeNet *net, int x);
int ae_net_add(AeNet *net, int a, int b);
int ae_net_subtract(AeNet *net, int a, int b);

/* A convolution with a k x k kernel and stride 1 that keeps the size, or, with
 * @valid, loses k - 1 pixels a side. */
int ae_net_conv(AeNet *net, int x, int ci, int co, int k);
int ae_net_conv_valid(AeNet *net, int x, int ci, int co, int k);

/* A convolution that halves the size: k even and no more than the stride needs
 * (k = 2), or padded at the bottom and right first, as TF does. */
int ae_net_conv_half(AeNet *net, int x, int ci, int co, int k);

/* The transposed convolution that doubles height and width, its inverse. */
int ae_net_conv_up(AeNet *net, int x, int ci, int co, int k, gboolean bias);

/* 2 x 2 maxima; an odd size is padded at the bottom and right, as TF does. */
int ae_net_pool(AeNet *net, int x);

/* Nearest neighbour, twice or @scale times the size. */
int ae_net_up(AeNet *net, int x);
int ae_net_enlarge(AeNet *net, int x, int scale);

/* Interpolated by @mode "linear" or "cubic" (Keys, a = -0.5), clipped to 0
 * .. 1.
 */
int ae_net_interpolate(AeNet *net, int x, int scale, const char *mode);

int ae_net_pixel_shuffle(AeNet *net, int x, int scale);

/* Fully connected; rows of numbers from images and back. */
int ae_net_dense(AeNet *net, int x, int n_in, int n_out);
int ae_net_flatten(AeNet *net, int x);
int ae_net_unflatten(AeNet *net, int x, int channels, int height, int width);

/* The rows of images as steps of sequences, height x N x (channels width), and
 * images from rows of numbers that lie in the order of these. */
int ae_net_image_steps(AeNet *net, int x);
int ae_net_steps_image(AeNet *net, int x);

/* The same row at each of @steps steps. */
int ae_net_repeat(AeNet *net, int x, int steps);

/* An LSTM over steps x N x @n_in: its state after the last step, N x @units, or
 * after every step, as rows of numbers. Forget gates start open (Gers et al.,
 * Neural Computation 2000), wider than usual: a bias of 3 keeps a quarter of
 * what was 28 steps ago, the usual 1 nothing. */
int ae_net_lstm_last(AeNet *net, int x, int n_in, int units);
int ae_net_lstm_rows(AeNet *net, int x, int n_in, int units);

/* Rows with the label's one-hot row behind them; as they are where the network
 * has no labels. */
int ae_net_with_label(AeNet *net, int x);

/* Makes @x the code of the metadata. With options.latent_noise the code is @x
 * with that much normal noise, and @x itself the mean of the metadata. */
int ae_net_code(AeNet *net, int x);

/* A variational code of options.latent_size values drawn from the normal
 * distribution whose moments two dense layers tell, in the form that
 * options.form says. */
int ae_net_sampled_code(AeNet *net, int x, int n_in);

/* The same from a mean and a standard deviation of any sign (kvfrans). */
int ae_net_sampled_code_sd(AeNet *net, int x, int n_in);

G_END_DECLS
