"""Notebook 03: the ELBO, variational inference, amortization.

Read ``oracles`` and ``ppca`` (models whose log p(x) is known), ``bounds`` (ELBO, IWAE,
and the climb), ``families`` of q, ``mean_field``, ``gradients``, ``amortized``.
"""

from course_utils.variational.amortized import (
    AmortizedEncoder,
    fit_each_point,
    train_encoder,
)
from course_utils.variational.bounds import (
    GRADIENTS,
    Estimate,
    elbo,
    elbo_by_quadrature,
    elbo_surrogate,
    fit_variational,
    iwae_bound,
    iwae_exact,
)
from course_utils.variational.families import DiagonalNormal, FullNormal, NormalMixture
from course_utils.variational.gradients import (
    gradient_draws,
    score_function_variance,
    standard_error_of_variance,
)
from course_utils.variational.mean_field import (
    BayesianMixture,
    cavi_gaussian,
    cavi_mixture,
)
from course_utils.variational.oracles import (
    BinaryLatents,
    GaussianMean,
    GridModel,
    circle_model,
)
from course_utils.variational.ppca import LinearGaussian, ppca_maximum_likelihood
