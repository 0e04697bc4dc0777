#!/usr/bin/env python3
# SPDX-License-Identifier: LGPL-2.1-or-later
"""A camera, or any other source, denoised in an application of one's own.

Return changes to the next MODEL while the video plays. Debian: python3-gi,
gir1.2-gstreamer-1.0.
"""
import argparse
import itertools
import sys

import gi

gi.require_version("Gst", "1.0")
from gi.repository import GLib, Gst

LINE = """{source} ! videoconvert ! queue leaky=downstream max-size-buffers=2 !
    aedenoise name=denoise ! queue max-size-buffers=2 ! videoconvert ! {sink}"""


class App:
    def __init__(self, args):
        self.loop = GLib.MainLoop()
        self.status = 0
        self.pipeline = Gst.parse_launch(LINE.format(**vars(args)))
        self.denoise = self.pipeline.get_by_name("denoise")
        bus = self.pipeline.get_bus()
        bus.add_signal_watch()
        bus.connect("message::error", self.on_error)
        bus.connect("message::warning", self.on_warning)
        bus.connect("message::eos", lambda bus, message: self.loop.quit())
        if args.models:
            self.models = itertools.cycle(args.models)
            self.denoise.props.model = next(self.models)
            GLib.io_add_watch(sys.stdin, GLib.PRIORITY_DEFAULT,
                              GLib.IO_IN | GLib.IO_HUP, self.on_key)

    def on_error(self, bus, message):
        print(message.src.name, message.parse_error()[0].message,
              sep=": ", file=sys.stderr)
        self.status = 1
        self.loop.quit()

    def on_warning(self, bus, message):
        """A model that cannot be loaded leaves the old one in use."""
        print(message.src.name, message.parse_warning()[0].message,
              sep=": ", file=sys.stderr)

    def on_key(self, file, condition):
        if not file.readline():
            return GLib.SOURCE_REMOVE
        self.denoise.props.model = next(self.models)
        print("model", self.denoise.props.model)
        return GLib.SOURCE_CONTINUE

    def run(self):
        self.pipeline.set_state(Gst.State.PLAYING)
        self.loop.run()
        print(self.denoise.props.stats.to_string())
        self.pipeline.set_state(Gst.State.NULL)
        return self.status


Gst.init(None)
parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--source", default="videotestsrc is-live=true")
parser.add_argument("--sink", default="autovideosink")
parser.add_argument("models", metavar="MODEL", nargs="*")
try:
    sys.exit(App(parser.parse_args()).run())
except GLib.Error as error:
    sys.exit(error.message)
