//! `apical fit`: which networks fit a device.
