/** Kronecker-factored curvature: factor statistics, damped inverses, preconditioning, quadratic penalties, eigenbases, batch norm merged into weights. */
package io.metaplast.kfac;
