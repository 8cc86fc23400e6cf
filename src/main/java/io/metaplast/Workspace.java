package io.metaplast;

/** Scratch memory that the caller gives to kernels which need some; contents are undefined between calls. One call at a time may use it. */
public interface Workspace extends DeviceBuffer {}
