//! Only its dependency is built: see ../gstreamer.sh.
