/** The service of the tutorial, {@code simulation/docs/tutorial.md}, and its test. */
package example.museum;
