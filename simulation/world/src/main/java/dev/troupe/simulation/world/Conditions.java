package dev.troupe.simulation.world;

/**
 * How it is on the way from one machine to another.
 *
 * @param latency in nanoseconds
 * @param jitter at most, in nanoseconds
 */
record Conditions(long latency, long jitter, Bottleneck line, Loss loss) {}
