import { describe, expect, it } from 'vitest';
import { sesSmtpPassword } from '../../lambdas/adapters/ses-smtp.ts';

/** The secret access key with which AWS shows how to convert one (Amazon SES Developer Guide, "Obtaining Amazon SES SMTP credentials"). */
const PUBLISHED = 'wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY';

describe('the SMTP password of SES', () => {
  // What AWS's own script prints, run as it is published: `python3 ses_generate_smtp_credentials.py <secret> <Region>`
  // (awsdocs/aws-doc-sdk-examples, python/example_code/ses). The first line is the guide's own example.
  it.each([
    ['us-east-1', 'BLBM/9hSUELfq8Gw+rU1YcBjkOxGbhT2XG763xVLGWL9'],
    ['us-east-2', 'BMPPgbAHoFVbze1Ud0oA5uNdXRwUXUZ+qOwphGJbl/cS'],
    ['eu-west-1', 'BMW5RDrXmmVs0lV7GpI4oLkHXpZ4stDsk6q91z1g38Pk'],
    ['eu-central-1', 'BF0/eIJm0ruTHsSjOkRuOGzGF+zeSyE3aiRzrzUQ8LwG'],
    ['ap-southeast-2', 'BLNVIwl1Vk66qi8YP1q44PSaqUtaoyrS/0LT79VaGBfa'],
    ['us-gov-west-1', 'BHW/eHvx1MM9YwW4wrJG6MGVQmLDCAM99G9YiSdGEIAw'],
  ])("is in %s what AWS's published script makes of AWS's published example", (region, password) => {
    expect(sesSmtpPassword(PUBLISHED, region)).toBe(password);
  });

  // hashicorp/terraform-provider-aws, internal/service/iam/access_key_test.go, TestSESSMTPPasswordFromSecretKeySigV4.
  it.each([
    ['eu-central-1', 'some+secret+key', 'BMXhUYlu5Z3gSXVQORxlVa7XPaz91aGWdfHxvkOZdWZ2'],
    ['eu-central-1', 'another+secret+key', 'BBbphbrQmrKMx42d1N6+C7VINYEBGI5v9VsZeTxwskfh'],
    ['us-west-1', 'some+secret+key', 'BH+jbMzper5WwlwUar9E1ySBqHa9whi0GPo+sJ0mVYJj'],
    ['us-west-1', 'another+secret+key', 'BKVmjjMDFk/qqw8EROW99bjCS65PF8WKvK5bSr4Y6EqF'],
  ])('is in %s what Terraform makes of %s', (region, secret, password) => {
    expect(sesSmtpPassword(secret, region)).toBe(password);
  });

  it('has 44 characters, as long as a stand-in for it is, whatever the secret', () => {
    for (const secret of ['', 'a', 'ä'.repeat(128)]) expect(sesSmtpPassword(secret, 'eu-west-1')).toHaveLength(44);
  });
});
