"""Notebook 03: the ELBO, variational inference, amortization.

Read ``oracles`` and ``ppca`` first: models whose log p(x) is known, so that each claim
of the notebook meets an exact answer. Then, in the order of its sections:

- ``bounds``: the ELBO, sampled (an ``Estimate``) and exact (sections 2, 3), and IWAE
  (section 10);
- ``mean_field``: coordinate ascent, for a Gaussian and for a mixture (section 5);
- ``families`` of q (section 5), and ``gradients``, to climb their ELBO (section 6);
- ``amortized``: one network for all x, and the price of it (sections 8, 9).

Notebook 04 uses ``ppca`` (sections 7 to 9 here) as the truth of its linear VAE.
"""

from course_utils.quadrature import Estimate
from course_utils.variational.amortized import (
    AmortizedEncoder,
    fit_each_point,
    train_encoder,
)
from course_utils.variational.bounds import (
    elbo,
    elbo_by_quadrature,
    iwae_bound,
    iwae_exact,
)
from course_utils.variational.families import DiagonalNormal, FullNormal, NormalMixture
from course_utils.variational.gradients import (
    GRADIENTS,
    elbo_surrogate,
    fit_variational,
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
