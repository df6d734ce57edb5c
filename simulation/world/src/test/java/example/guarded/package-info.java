/** Tests of somebody else, good and bad, for {@code SimulatedTest} to run. */
package example.guarded;
