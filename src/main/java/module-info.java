/** Metaplast: compute kernels for continual learning. */
module io.metaplast {
  requires transitive org.bytedeco.javacpp;
  requires static org.bytedeco.cuda;
  requires static org.bytedeco.openblas;
  requires ejml.core;
  requires ejml.ddense;
  requires static java.management;

  exports io.metaplast;
  exports io.metaplast.bayes;
  exports io.metaplast.binary;
  exports io.metaplast.kfac;
}
